//! One page, in one file, that shows what a network makes of pictures. It needs nothing beside itself.

pub(crate) mod arithmetic;
mod collection;
pub(crate) mod diagram;
mod fields;
mod filters;
mod head;
pub(crate) mod node;
pub(crate) mod picture;
pub(crate) mod sheet;
pub(crate) mod stages;
mod subject;

pub use subject::Subject;

use crate::collection::Collection;
use crate::error::Result;
use crate::explainer::Explainer;
use cnn_figures::svg::escaped;
use serde::Serialize;
use std::fmt::Write;

/// Pixels of all maps together; packed they take less than a byte each.
const PIXELS: usize = 2_500_000;
/// No more nodes than this show their maps.
const MOST_NODES: usize = 260;

/// What a page shows beside the network.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// What stands above the page.
    pub title: &'a str,
    /// The name of each class, in the order of the outputs; one that has none is called by its number.
    pub classes: &'a [String],
    /// What a reader must know: where the weights are from, what was guessed. A line each.
    pub notes: &'a [String],
    /// The pictures, at least one; the maps of the diagram are the first one's.
    pub subjects: &'a [Subject<'a>],
    /// So many classes of each picture get a Grad-CAM.
    pub top: usize,
    /// Images of a data set that are shown as well.
    pub collection: Option<&'a Collection>,
}

impl Page<'_> {
    /// The page, as HTML. Texts are shown as they are, whatever markup is in them.
    ///
    /// # Errors
    ///
    /// A picture that is not what the network reads, an output that is no vector of scores, what memory does not hold.
    pub fn html(&self, explainer: &mut Explainer) -> Result<String> {
        self.html_told(explainer, &mut |_, _| {})
    }

    /// [`Page::html`], which takes a minute or two of a large network: `told` hears after each step how many are done of
    /// how many; the last is told when the page is there.
    ///
    /// # Errors
    ///
    /// As [`Page::html`].
    pub fn html_told(&self, explainer: &mut Explainer, told: &mut dyn FnMut(usize, usize)) -> Result<String> {
        for subject in self.subjects {
            subject.check(explainer.network())?;
        }
        let of_subject = head::steps(explainer, self)?;
        let mut steps = Steps { done: 0, all: self.subjects.len() * of_subject + 1, told };
        let mut body = String::new();
        head::network(explainer, self, &mut body);
        for (number, subject) in self.subjects.iter().enumerate() {
            head::subject(explainer, self, subject, number, &mut steps, &mut body)?;
        }
        filters::section(explainer, &mut body)?;
        if let Some(collection) = self.collection {
            collection::section(self, collection, &mut body)?;
        }
        let diagram = diagram::section(explainer, self, &mut body)?;
        if let Some(numbers) = diagram.numbers {
            data(&mut body, "numbers", &numbers)?;
            body.push_str("<script>\n");
            body.push_str(include_str!("hover.js"));
            body.push_str("arithmetic(document, JSON.parse(document.getElementById(\"numbers\").textContent).nodes);\n</script>\n");
        }
        if let Some(fields) = diagram.fields {
            data(&mut body, "fields", &fields)?;
            let _ = write!(body, "<script>\n{}</script>\n", include_str!("field.js"));
        }
        let title = escaped(self.title);
        steps.add(1);
        Ok(format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
             content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" \
             content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
             <title>{title}</title>\n<style>\n{}\n</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
            include_str!("style.css").trim()
        ))
    }

    /// The name of a class.
    fn class(&self, class: usize) -> String {
        self.classes.get(class).cloned().unwrap_or_else(|| format!("class {class}"))
    }
}

/// What is done of the work on a page. A step is about what a pass back through the network takes.
struct Steps<'a> {
    done: usize,
    all: usize,
    told: &'a mut dyn FnMut(usize, usize),
}

impl Steps<'_> {
    fn add(&mut self, steps: usize) {
        self.done += steps;
        (self.told)(self.done, self.all);
    }
}

/// Data for a script of the page.
fn data(body: &mut String, id: &str, data: &impl Serialize) -> Result<()> {
    // Within a script element only `<` could end it.
    let data = serde_json::to_string(data)?.replace('<', "\\u003c");
    let _ = writeln!(body, "<script type=\"application/json\" id=\"{id}\">{data}</script>");
    Ok(())
}
