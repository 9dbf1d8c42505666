//! What a search over settings found, as a picture.

use crate::error::{Error, Result};
use crate::style::canvas;
use cnn_figures::axis::Range;
use cnn_figures::percent;
use cnn_figures::svg::Rectangle;
use cnn_train::write_whole;
use std::path::Path;

const CELL: [f64; 2] = [84.0, 34.0];
/// A letter's width, roughly.
const LETTER: f64 = 7.0;

/// Accuracies over two lists of settings.
///
/// ```
/// let grid = cnn_report::Grid {
///     rows: vec!["lr 0.01".to_string(), "lr 0.1".to_string()],
///     columns: vec!["momentum 0".to_string(), "momentum 0.9".to_string()],
///     values: vec![vec![Some(0.91), Some(0.94)], vec![Some(0.95), None]],
/// };
/// let picture = std::env::temp_dir().join("cnn-report-grid-example.svg");
/// grid.write(&picture)?;
/// assert!(std::fs::read_to_string(&picture)?.contains("95.00 %"));
/// # std::fs::remove_file(picture)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// What the rows differ in.
    pub rows: Vec<String>,
    /// What the columns differ in.
    pub columns: Vec<String>,
    /// For each row its columns' accuracies, from 0 to 1; `None` for a run that came to none.
    pub values: Vec<Vec<Option<f64>>>,
}

impl Grid {
    /// Draws the grid: the higher the accuracy between the least and the greatest, the darker the cell.
    ///
    /// # Errors
    ///
    /// A file that cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        write_whole(path, self.draw().as_bytes()).map_err(Error::from)
    }

    fn draw(&self) -> String {
        let letters = |names: &[String]| names.iter().map(|name| name.chars().count()).max().unwrap_or(0) as f64;
        let left = 30.0 + LETTER * letters(&self.rows);
        let width = CELL[0].max(LETTER * letters(&self.columns) + 12.0);
        let top = 60.0;
        let range = Range::of(self.values.iter().flatten().flatten().copied());
        let mut canvas = canvas();
        canvas.text("title", [16.0, 20.0], "best test accuracy");
        for (column, name) in self.columns.iter().enumerate() {
            canvas.text("middle", [left + (column as f64 + 0.5) * width, top - 8.0], name);
        }
        for (row, (name, values)) in self.rows.iter().zip(&self.values).enumerate() {
            let y = top + row as f64 * CELL[1];
            canvas.text("end", [left - 8.0, y + CELL[1] / 2.0 + 4.0], name);
            for (column, value) in values.iter().enumerate() {
                let at = [left + column as f64 * width + 1.0, y + 1.0];
                let middle = [at[0] + width / 2.0 - 1.0, at[1] + CELL[1] / 2.0 + 3.0];
                let Some(value) = value else {
                    canvas.text("middle", middle, "diverged");
                    continue;
                };
                let shade = 1.0 + (6.0 * range.share(*value)).round();
                let cell = Rectangle { at, width: width - 2.0, height: CELL[1] - 2.0 };
                canvas.rectangle(&format!("right s{shade}"), cell);
                let over = if shade > 4.0 { " over" } else { "" };
                canvas.text(&format!("number{over}"), middle, &percent(*value));
            }
        }
        let extent = [left + width * self.columns.len() as f64 + 16.0, top + CELL[1] * self.rows.len() as f64 + 16.0];
        canvas.finish("Best test accuracy over settings", [extent[0].max(200.0), extent[1]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_darkest_and_what_diverged_is_said() {
        let grid = Grid {
            rows: vec!["lr 0.1".into(), "lr 10".into()],
            columns: vec!["momentum 0".into(), "momentum 0.9".into()],
            values: vec![vec![Some(0.5), Some(0.9)], vec![Some(0.1), None]],
        };
        let svg = grid.draw();
        assert_eq!(svg.matches("class=\"right s7\"").count(), 1);
        assert_eq!(svg.matches("class=\"right s1\"").count(), 1);
        assert!(svg.contains("90.00 %") && svg.contains("diverged") && svg.contains("momentum 0.9"), "{svg}");
    }
}
