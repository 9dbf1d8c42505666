//! One arena: values that are never alive together have the same memory.

use cnn_kernels::LANES;

/// Memory that some steps need: its numbers for one image, and the first and the last of the steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Room {
    pub(super) numbers: usize,
    pub(super) first: usize,
    pub(super) last: usize,
}

/// Places rooms one by one, the largest first, each as far to the front as no other that lives at the same time is.
/// Gives the offset of each, and the numbers of all.
pub(super) fn arrange(rooms: &[Room]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..rooms.len()).collect();
    order.sort_by_key(|room| (std::cmp::Reverse(rooms[*room].numbers), rooms[*room].first, *room));
    let (mut offsets, mut placed, mut end) = (vec![0; rooms.len()], Vec::<usize>::new(), 0);
    for room in order {
        let Room { numbers, first, last } = rooms[room];
        let mut taken: Vec<(usize, usize)> = placed
            .iter()
            .filter(|other| rooms[**other].first <= last && first <= rooms[**other].last)
            .map(|other| (offsets[*other], offsets[*other] + rooms[*other].numbers))
            .collect();
        taken.sort_unstable();
        let mut offset = 0;
        for (start, stop) in taken {
            if offset + numbers <= start {
                break;
            }
            offset = offset.max(stop.next_multiple_of(LANES));
        }
        offsets[room] = offset;
        end = end.max(offset + numbers);
        placed.push(room);
    }
    (offsets, end.next_multiple_of(LANES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_that_live_together_are_apart_and_others_share() {
        let room = |numbers, first, last| Room { numbers, first, last };
        let rooms = [room(64, 0, 1), room(32, 1, 2), room(64, 2, 3), room(16, 0, 3)];
        let (offsets, numbers) = arrange(&rooms);
        for (i, a) in rooms.iter().enumerate() {
            for (j, b) in rooms.iter().enumerate().filter(|(j, _)| *j != i) {
                let together = a.first <= b.last && b.first <= a.last;
                let apart = offsets[i] + a.numbers <= offsets[j] || offsets[j] + b.numbers <= offsets[i];
                assert!(apart || !together, "{i} and {j}");
            }
        }
        assert_eq!(numbers, 112, "the first and the third share");
    }
}
