//! The few colours there are. A colour never says anything that the words do not say too.

use anstyle::{AnsiColor, Style};

/// What a word means, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// As it should be.
    Good,
    /// Worth a look.
    Warning,
    /// Wrong.
    Bad,
    /// A heading or a name.
    Heading,
    /// Less important than the rest.
    Faint,
    /// Nothing special.
    Plain,
}

impl Word {
    fn style(self) -> Style {
        let style = Style::new();
        match self {
            Self::Good => style.fg_color(Some(AnsiColor::Green.into())),
            Self::Warning => style.fg_color(Some(AnsiColor::Yellow.into())).bold(),
            Self::Bad => style.fg_color(Some(AnsiColor::Red.into())).bold(),
            Self::Heading => style.bold(),
            Self::Faint => style.dimmed(),
            Self::Plain => style,
        }
    }
}

/// A text in the colour of a meaning.
pub(crate) fn paint(word: Word, text: &str) -> String {
    let style = word.style();
    format!("{style}{text}{style:#}")
}
