//! Lines at the bottom of a terminal that are painted over again and again, and how they are taken away.

use std::fmt::Write as _;

/// What was painted last. The cursor stands at the start of the line below it.
#[derive(Debug, Default)]
pub(super) struct Painter {
    lines: Vec<String>,
    columns: usize,
}

impl Painter {
    /// What to write so that `lines` stand where the last ones stood; nothing when they stand there already.
    ///
    /// Each line must be shorter than the terminal is wide. A terminal that became narrower has broken the last lines into
    /// several, as nearly all do: it is told to go up by as many.
    pub(super) fn paint(&mut self, lines: Vec<String>, columns: usize) -> String {
        let is_resized = columns != self.columns;
        if !is_resized && lines == self.lines {
            return String::new();
        }
        let mut text = String::new();
        let up: usize = self.lines.iter().map(|line| line.chars().count().div_ceil(columns.max(1)).max(1)).sum();
        if up > 0 {
            write!(text, "\u{1b}[{up}A\r").unwrap_or_default();
        }
        if is_resized {
            text.push_str("\u{1b}[J");
        }
        for line in &lines {
            // Each line is written over the old one before its rest is cleared: nothing is ever blank in between.
            text.push_str(line);
            text.push_str("\u{1b}[K\r\n");
        }
        if up > 0 {
            text.push_str("\u{1b}[J");
        }
        (self.lines, self.columns) = (lines, columns);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Painter;

    fn lines<const N: usize>(lines: [&str; N]) -> Vec<String> {
        lines.map(ToOwned::to_owned).into()
    }

    fn screen(parser: &vt100::Parser) -> String {
        parser.screen().contents()
    }

    #[test]
    fn lines_are_painted_over_and_taken_away_and_what_stands_above_stays() {
        let mut terminal = vt100::Parser::new(6, 20, 100);
        let mut painter = Painter::default();
        terminal.process(b"above\r\n");
        terminal.process(painter.paint(lines(["one long line", "two", "three"]), 20).as_bytes());
        assert_eq!(screen(&terminal), "above\none long line\ntwo\nthree");
        terminal.process(painter.paint(lines(["1", "2"]), 20).as_bytes());
        assert_eq!(screen(&terminal), "above\n1\n2");
        assert_eq!(painter.paint(lines(["1", "2"]), 20), "", "what stands there is not painted again");
        terminal.process(painter.paint(Vec::new(), 20).as_bytes());
        assert_eq!(screen(&terminal), "above");
        assert_eq!(terminal.screen().cursor_position(), (1, 0));
    }

    #[test]
    fn lines_that_a_narrower_terminal_has_broken_are_taken_away_whole() {
        let mut painter = Painter::default();
        drop(painter.paint(lines(["0123456789abcde", "short"]), 20));
        // The terminal of 10 columns shows three lines now.
        let mut terminal = vt100::Parser::new(6, 10, 100);
        terminal.process(b"above\r\n0123456789abcde\r\nshort\r\n");
        terminal.process(painter.paint(lines(["1"]), 10).as_bytes());
        assert_eq!(screen(&terminal), "above\n1");
    }

    #[test]
    fn lines_at_the_bottom_of_a_full_terminal_scroll_only_what_is_above() {
        let mut terminal = vt100::Parser::new(4, 20, 100);
        let mut painter = Painter::default();
        terminal.process(b"a\r\nb\r\nc\r\n");
        for number in 0..3 {
            let shown = lines(["x", "y"]).into_iter().map(|line| format!("{line}{number}")).collect();
            terminal.process(painter.paint(shown, 20).as_bytes());
        }
        assert_eq!(screen(&terminal), "c\nx2\ny2");
    }
}
