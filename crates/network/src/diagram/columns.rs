//! Stages below each other, in columns side by side.

use super::panel::Panel;

/// Between stages, and around all of them.
pub(super) const BETWEEN: f64 = 18.0;

/// Panels below each other.
pub(super) struct Column<'a> {
    pub(super) panels: &'a [Panel],
    pub(super) width: f64,
    pub(super) height: f64,
}

/// The panels in so many columns of about the same height, or in fewer.
pub(super) fn columns_of(panels: &[Panel], count: usize) -> Vec<Column<'_>> {
    let height = |panels: &[Panel]| panels.iter().map(|panel| panel.height() + BETWEEN).sum::<f64>();
    let column = |panels: &'_ [Panel]| panels.iter().map(Panel::width).fold(0.0, f64::max);
    let (mut columns, mut from, share) = (Vec::new(), 0, height(panels) / count.max(1) as f64);
    for until in 1..=panels.len() {
        let so_far = height(&panels[from..until]);
        let next = panels.get(until).map(|next| height(std::slice::from_ref(next)));
        // A column ends where the next panel would bring it farther from its share.
        if next.is_none_or(|next| columns.len() + 1 < count && so_far + next / 2.0 > share) {
            let panels = &panels[from..until];
            columns.push(Column { panels, width: column(panels), height: so_far });
            from = until;
        }
    }
    columns
}
