//! Lines at the bottom of a terminal that are painted over again and again, and how they are taken away.

/// Clears the line from the cursor on.
const CLEAR: &str = "\u{1b}[K";

/// The same, and on to the next line.
const NEXT: &str = "\u{1b}[K\r\n";

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
        if columns == self.columns && lines == self.lines {
            return String::new();
        }
        let rows = |line: &String| line.chars().count().div_ceil(columns.max(1)).max(1);
        let painted: usize = self.lines.iter().map(rows).sum();
        let mut text = up(painted);
        for line in &lines {
            // Each line is written over the old one before its rest is cleared: nothing is ever blank in between.
            text.push_str(line);
            text.push_str(NEXT);
        }
        // Row by row: some terminals keep what a clearing of the whole screen takes away, above.
        let rest = painted.saturating_sub(lines.len());
        text.push_str(&NEXT.repeat(rest));
        text.push_str(CLEAR);
        text.push_str(&up(rest));
        (self.lines, self.columns) = (lines, columns);
        text
    }
}

/// To the start of a line further up.
fn up(rows: usize) -> String {
    if rows == 0 { String::new() } else { format!("\u{1b}[{rows}A\r") }
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
