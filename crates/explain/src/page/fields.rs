//! For each map that is shown which pixels of the picture a place of it sees.

use super::node::Shown;
use crate::error::Result;
use crate::field::seen;
use cnn_network::Network;
use cnn_network::network::NodeId;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a script needs to outline them.
#[derive(Debug, Serialize)]
pub(crate) struct Fields {
    /// Height and width of the picture.
    size: [usize; 2],
    /// First and one beyond the last pixel for each row or column of some maps, in turns; many maps share these.
    spans: Vec<Vec<usize>>,
    nodes: BTreeMap<usize, NodeFields>,
}

#[derive(Debug, Serialize)]
struct NodeFields {
    /// Positions among the spans, of rows and of columns.
    spans: [usize; 2],
    /// Pixels of the sheet, height and width; of a map on it, with the gap behind it.
    sheet: [usize; 2],
    step: [usize; 2],
    cell: [usize; 2],
    reduced: usize,
}

impl Fields {
    /// Of these nodes, but for those that are vectors.
    pub(crate) fn of(network: &Network, shown: &BTreeMap<NodeId, Shown>) -> Result<Self> {
        let size = network.input().size().map_or([1, 1], |size| size.axes());
        let mut spans: Vec<Vec<usize>> = Vec::new();
        let mut nodes = BTreeMap::new();
        for (id, Shown { shape, sheet }) in shown {
            let Some([height, width]) = shape.size().filter(|size| size.area() > 1).map(|size| size.axes()) else {
                continue;
            };
            let mut axes = [Vec::new(), Vec::new()];
            for at in 0..height.max(width) {
                let field = seen(network, *id, [at.min(height - 1), at.min(width - 1)])?;
                let ends = [(field.rows, height), (field.columns, width)];
                for (axis, (range, _)) in axes.iter_mut().zip(ends).filter(|(_, (_, length))| at < *length) {
                    axis.extend([range.start, range.end]);
                }
            }
            let positions = axes.map(|axis| {
                spans.iter().position(|known| *known == axis).unwrap_or_else(|| {
                    spans.push(axis);
                    spans.len() - 1
                })
            });
            let fields = NodeFields {
                spans: positions,
                sheet: [sheet.height, sheet.width],
                step: sheet.cell.map(|length| length + sheet.gap),
                cell: sheet.cell,
                reduced: sheet.reduced,
            };
            nodes.insert(id.index(), fields);
        }
        Ok(Self { size, spans, nodes })
    }
}
