//! A page's pieces.

use crate::style::PAGE;
use cnn_figures::svg::escaped;

/// A page that needs nothing beside itself.
pub(crate) fn page(title: &str, body: &str) -> String {
    let title = escaped(title);
    let rules: Vec<&str> = PAGE.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>\n{}\n</style>\n</head>\n\
         <body>\n<h1>{title}</h1>\n{body}</body>\n</html>\n",
        rules.join("\n")
    )
}

/// A table.
pub(crate) fn table(rows: &[Vec<String>], columns: Columns) -> String {
    let mut text = "<div class=\"wide\"><table>\n".to_string();
    for (index, row) in rows.iter().enumerate() {
        let tag = if index == 0 && columns.header { "th" } else { "td" };
        text += "<tr>";
        for (column, cell) in row.iter().enumerate() {
            let class = if column > 0 && columns.numbers { " class=\"number\"" } else { "" };
            text += &format!("<{tag}{class}>{}</{tag}>", escaped(cell));
        }
        text += "</tr>\n";
    }
    text + "</table></div>\n"
}

/// How a table's cells are to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    /// Whether the first row names the columns.
    pub(crate) header: bool,
    /// Whether all columns but the first hold numbers.
    pub(crate) numbers: bool,
}
