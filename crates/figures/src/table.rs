//! Tables in plain text.

use crate::printable::printable;
use std::fmt;
use unicode_width::UnicodeWidthStr;

/// Rows in columns, two spaces apart. `Display` prints a line a row, each with its line break.
///
/// Columns of text are aligned to the left, columns of numbers to the right. Cells may come from files: what would act on
/// a terminal is escaped.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
    text_columns: usize,
}

impl Table {
    /// A table under a header, whose first column is text and whose others are numbers.
    pub fn new(header: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut table = Self::without_header();
        table.row(header);
        table
    }

    /// A table that begins with its first row.
    pub fn without_header() -> Self {
        Self { rows: Vec::new(), text_columns: 1 }
    }

    /// The table with so many columns of text; those behind them are numbers.
    #[must_use]
    pub fn text_columns(self, text_columns: usize) -> Self {
        Self { text_columns, ..self }
    }

    /// Adds a row. It may be shorter or longer than others.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) {
        self.rows.push(cells.into_iter().map(|cell| printable(cell.as_ref()).into_owned()).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| self.rows.iter().filter_map(|row| Some(row.get(column)?.width())).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
                let blank = " ".repeat(width - cell.width());
                if column < self.text_columns { format!("{cell}{blank}") } else { format!("{blank}{cell}") }
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_a_terminal_shows_them() {
        let mut table = Table::new(["class", "images"]);
        table.row(["猫", "12"]);
        table.row(["a\u{1b}[2J", "3"]);
        table.row(["short"]);
        assert_eq!(table.to_string(), "class       images\n猫              12\na\\u{1b}[2J       3\nshort\n");
        let mut texts = Table::without_header().text_columns(2);
        texts.row(["a", "bcd"]);
        texts.row(["", "b"]);
        assert_eq!(texts.to_string(), "a  bcd\n   b\n");
        assert_eq!(Table::without_header().to_string(), "");
    }
}
