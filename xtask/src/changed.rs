//! What a recipe says of itself whose run was changed on the way.

use cnn_train::{Change, Recipe};

/// Before and behind the changes.
const CHANGED: &str = "changed on the way (";
const NOT_REPEATED: &str = "), so that beginning anew does not repeat the run";

/// Notes changes in the recipe of a run that had the recipe `before`, which may have been changed too.
pub fn note(before: &Recipe, changes: &[Change], recipe: &mut Recipe) {
    if changes.is_empty() {
        return;
    }
    let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
    let earlier = before.about.strip_prefix(CHANGED).and_then(|about| about.strip_suffix(NOT_REPEATED));
    let all = earlier.map(str::to_string).into_iter().chain([changes.join(", ")]);
    recipe.about = format!("{CHANGED}{}{NOT_REPEATED}", all.collect::<Vec<_>>().join("; then "));
}

/// The recipe of a run as that of a new one, which nothing has changed yet.
pub fn anew(mut recipe: Recipe) -> Recipe {
    if recipe.about.starts_with(CHANGED) {
        recipe.about.clear();
    }
    recipe
}
