//! The top of a page: the network, and each picture with its classes and where the evidence for them lies.

use super::picture::coloured;
use super::{Page, Steps, Subject};
use crate::cam::Cam;
use crate::error::Result;
use crate::explainer::Explainer;
use crate::heat::Heat;
use crate::saliency::{SmoothGrad, greatest};
use crate::target::cam_node;
use cnn_figures::svg::escaped;
use cnn_figures::{count, percent};
use cnn_network::Network;
use cnn_network::network::NodeId;
use std::fmt::Write;

/// The noisy copies of a picture whose gradients are averaged.
const COPIES: usize = 16;

/// The network's costs, and what must be known of the page.
pub(super) fn network(explainer: &Explainer, page: &Page<'_>, body: &mut String) {
    let summary = explainer.network().summary();
    let _ = writeln!(body, "<h1>{}</h1>", escaped(page.title));
    let facts = [
        ("network", summary.name.clone()),
        ("input", summary.input.to_string()),
        ("parameters", count(summary.parameters_without_heads)),
        ("multiply-accumulates", count(summary.macs)),
        ("layers with weights", summary.layers.to_string()),
        ("a last position sees", format!("{} pixels", summary.receptive_field.size)),
    ];
    body.push_str("<dl class=\"facts\">\n");
    for (name, value) in facts {
        let _ = writeln!(body, "<div><dt>{name}</dt><dd>{}</dd></div>", escaped(&value));
    }
    body.push_str("</dl>\n");
    if !page.notes.is_empty() {
        body.push_str("<ul class=\"notes\">\n");
        page.notes.iter().for_each(|note| {
            let _ = writeln!(body, "<li>{}</li>", escaped(note));
        });
        body.push_str("</ul>\n");
    }
}

/// How much work [`subject`] is.
pub(super) fn steps(explainer: &Explainer, page: &Page<'_>) -> Result<usize> {
    let classes = explainer.classes()?.min(page.top.max(1));
    Ok(if cam_node(explainer.network()).is_some() { 1 + classes + 1 + COPIES + 1 } else { 1 })
}

/// A picture: the most probable classes, Grad-CAM for each, and which pixels the first depends on.
pub(super) fn subject(
    explainer: &mut Explainer,
    page: &Page<'_>,
    subject: &Subject<'_>,
    number: usize,
    steps: &mut Steps<'_>,
    body: &mut String,
) -> Result<()> {
    let probabilities = explainer.probabilities(&subject.image)?.swap_remove(0);
    steps.add(1);
    let shown = Shown { page, subject, number, classes: most_probable(&probabilities, page.top) };
    shown.picture(explainer.network(), body)?;
    match cam_node(explainer.network()) {
        Some(node) => {
            shown.evidence(explainer, node, steps, body)?;
            shown.pixels(explainer, steps, body)?;
        }
        None => body.push_str("<p class=\"faint\">This network has no maps, so there is no Grad-CAM.</p>\n"),
    }
    body.push_str("</section>\n");
    Ok(())
}

/// The most probable classes with their probabilities, the most probable first, at least one; of equals the first.
fn most_probable(probabilities: &[f32], top: usize) -> Vec<(usize, f32)> {
    let mut classes: Vec<(usize, f32)> = probabilities.iter().copied().enumerate().collect();
    classes.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    classes.truncate(top.max(1));
    classes
}

/// A picture of the page, and what the network takes it for.
struct Shown<'a> {
    page: &'a Page<'a>,
    subject: &'a Subject<'a>,
    number: usize,
    classes: Vec<(usize, f32)>,
}

impl Shown<'_> {
    /// The picture beside its most probable classes.
    fn picture(&self, network: &Network, body: &mut String) -> Result<()> {
        let Self { page, subject, number, classes } = self;
        let address = subject.address(network)?;
        let [height, width] = network.input().size().map_or([1, subject.image.len()], |size| size.axes());
        let _ = writeln!(
            body,
            "<style>.picture{number} {{ aspect-ratio: {width} / {height}; background: url(\"{address}\") 0 0 / 100% 100%; \
             {} }}</style>",
            if height.max(width) < 100 { "image-rendering: pixelated" } else { "" }
        );
        let _ = writeln!(body, "<section>\n<h2>{}</h2>\n<div class=\"subject\">", escaped(subject.name));
        self.figure(None, "as the network reads it", body);
        body.push_str("<table class=\"classes\"><caption>The most probable classes</caption>\n");
        for (class, share) in classes {
            let _ = writeln!(
                body,
                "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td><td><meter min=\"0\" max=\"1\" value=\"{share}\">\
                 </meter></td></tr>",
                escaped(&page.class(*class)),
                percent(f64::from(*share))
            );
        }
        body.push_str("</table>\n</div>\n");
        Ok(())
    }

    /// Grad-CAM for each class.
    fn evidence(
        &self,
        explainer: &mut Explainer,
        node: NodeId,
        steps: &mut Steps<'_>,
        body: &mut String,
    ) -> Result<()> {
        let path = escaped(&explainer.network().node(node).path);
        let _ = writeln!(
            body,
            "<h3>Where the evidence for a class lies</h3>\n<p class=\"faint\">Grad-CAM at <code>{path}</code>; bright \
             places speak for the class, each picture from its own least to its own greatest.</p>\n<div class=\"strip\">"
        );
        for (class, _) in &self.classes {
            let heat = explainer.cam(&self.subject.image, &[*class], Some(node), Cam::GradCam)?.swap_remove(0);
            let address = coloured(&heat.numbers, heat.size[1], 0.0, 1.0)?;
            self.figure(Some(&address), &self.page.class(*class), body);
            steps.add(1);
        }
        body.push_str("</div>\n");
        Ok(())
    }

    /// Which pixels the most probable class depends on.
    fn pixels(&self, explainer: &mut Explainer, steps: &mut Steps<'_>, body: &mut String) -> Result<()> {
        let (image, best) = (&self.subject.image, self.classes[0].0);
        let class = escaped(&self.page.class(best));
        let _ = writeln!(body, "<h3>Which pixels <q>{class}</q> depends on</h3>\n<div class=\"strip\">");
        let gradient = explainer.input_gradient(image, best)?;
        steps.add(1);
        let smooth = SmoothGrad { samples: COPIES, ..SmoothGrad::default() };
        let smooth = explainer.smooth_gradient_told(image, best, smooth, &mut |copies| steps.add(copies))?;
        let guided = explainer.guided_backpropagation(image, best)?;
        steps.add(1);
        let noisy = format!("SmoothGrad, {COPIES} noisy copies");
        for (caption, map) in [("gradient", gradient), (&*noisy, smooth), ("guided backpropagation", guided)] {
            let heat = bounded(&greatest(&map));
            let address = coloured(&heat.numbers, heat.size[1], 0.0, 1.0)?;
            let _ = writeln!(
                body,
                "<figure><img class=\"plain\" src=\"{address}\" alt=\"{caption}\"><figcaption>{caption}</figcaption>\
                 </figure>"
            );
        }
        body.push_str("</div>\n");
        Ok(())
    }

    /// The picture with a caption, and with heat over it where there is some.
    fn figure(&self, heat: Option<&str>, caption: &str, body: &mut String) {
        let heat = heat.map_or_else(String::new, |heat| format!("<img class=\"heat\" src=\"{heat}\" alt=\"\">"));
        let _ = writeln!(
            body,
            "<figure><div class=\"picture picture{0}\" role=\"img\" aria-label=\"{1}\">{heat}</div><figcaption>{1}\
             </figcaption></figure>",
            self.number,
            escaped(caption)
        );
    }
}

/// The heat from 0 to 1, where one pixel in a hundred may be brighter than the brightest.
fn bounded(heat: &Heat) -> Heat {
    let mut sorted = heat.numbers.clone();
    sorted.sort_by(f32::total_cmp);
    let most = sorted.get((sorted.len() * 99 / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or(0.0);
    let numbers = heat.numbers.iter().map(|x| if most > 0.0 { (x / most).min(1.0) } else { 0.0 }).collect();
    Heat { size: heat.size, numbers }
}
