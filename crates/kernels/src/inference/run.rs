//! A program runs: all its steps in one parallel region.

use super::arena::{Arena, Place};
use super::input::Input;
use super::narrow::{Call, Cut as NarrowCut, Narrow};
use super::number::Number;
use super::program::{Cut, Entry, Program, Work};
use super::step::{Custom, Step};
use super::{moves, pool};
use crate::buffer::{Buffer, Shared};
use crate::prefetch::Lines;
use crate::region::from_blocks;
use crate::scratch::{EXACT_SCRATCH, with_scratch};
use crate::shares::{Shares, share};
use crate::simd::{Kernel, LANES, Vector, dispatch};
use crate::sink::Store;
use crate::threads::{for_each, threads};
use crate::view::{Map, View};
use std::fmt::Debug;
use std::ops::DerefMut;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Looks before a thread that waits lets others run.
const LOOKS: usize = 4000;
/// Looks before it sleeps between two of them.
const YIELDS: usize = LOOKS + 500;
/// How long it sleeps.
const NAP: Duration = Duration::from_micros(50);

/// Memory that a program needs for a run: its values, and what its tasks work in.
#[derive(Debug)]
pub struct Workspace {
    /// The number of the program it is for.
    program: usize,
    alone: Box<dyn Memory>,
    together: Box<dyn Memory>,
    scratch: Box<dyn Memory>,
    /// Threads it has scratch memory for.
    lanes: usize,
    /// Images it holds.
    capacity: usize,
    turns: Vec<Turn>,
    /// How many of them a run has; the rest is kept for one of more images.
    due: usize,
    /// The images and the threads that these are for.
    planned: [usize; 2],
    /// Memory for what custom steps read.
    views: Vec<View<'static, f32>>,
    /// Time of each pass so far, where it is asked for.
    times: Vec<Duration>,
    timed: bool,
}

/// Numbers that a program works in.
#[doc(hidden)]
pub trait Memory: DerefMut<Target = [f32]> + Debug + Send + Sync + UnwindSafe + RefUnwindSafe {}

impl<M: DerefMut<Target = [f32]> + Debug + Send + Sync + UnwindSafe + RefUnwindSafe> Memory for M {}

/// Some tasks of a pass, which are done before those of the next turn begin.
#[derive(Debug)]
struct Turn {
    work: usize,
    /// The image it is for, if it is for one.
    image: Option<usize>,
    /// How a step on narrow numbers is cut.
    narrow: NarrowCut,
    /// How many, and which are left.
    count: usize,
    shares: Shares,
    done: AtomicUsize,
    /// When the last of them was done, where times are taken: nanoseconds after the region began.
    ended: AtomicU64,
}

impl Turn {
    /// As if none of its tasks had been taken.
    fn renew(&mut self, threads: usize) {
        self.shares.renew(self.count, threads);
        *self.done.get_mut() = 0;
    }
}

impl Workspace {
    /// Memory for a program and so many images; `None` if there is not as much.
    pub fn new(program: &Program, images: usize) -> Option<Self> {
        let lanes = threads();
        let lens = Self::lens(program, images, lanes)?;
        if !Buffer::<f32>::fits(lens[0].checked_add(lens[1])?.checked_add(lens[2])?) {
            return None;
        }
        let memory = lens.map(|len| -> Box<dyn Memory> { Box::new(Buffer::zeros(len)) });
        Some(Self::over(program, images, lanes, memory))
    }

    /// Numbers that a program, so many images and so many threads need: of one image, of all, and scratch memory.
    #[doc(hidden)]
    pub fn lens(program: &Program, images: usize, lanes: usize) -> Option<[usize; 3]> {
        let together = program.numbers[1].checked_mul(images)?;
        Some([program.numbers[0], together, program.scratch.checked_mul(lanes)?])
    }

    /// Over memory that someone else has made, of as many numbers as [`Workspace::lens`] says.
    #[doc(hidden)]
    pub fn over(program: &Program, images: usize, lanes: usize, memory: [Box<dyn Memory>; 3]) -> Self {
        let lens = Self::lens(program, images, lanes);
        assert_eq!(Some(memory.each_ref().map(|memory| memory.len())), lens, "memory for {images} images");
        let [alone, together, scratch] = memory;
        Self {
            program: program.number,
            alone,
            together,
            scratch,
            lanes,
            capacity: images,
            turns: Vec::new(),
            due: 0,
            planned: [0; 2],
            views: Vec::new(),
            times: vec![Duration::ZERO; program.works.len()],
            timed: false,
        }
    }

    /// Images it holds.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// From now on the time of each step is taken.
    pub fn measure(&mut self) {
        self.timed = true;
        self.times.fill(Duration::ZERO);
    }
}

impl Program {
    /// Computes all steps for images `(N, C, H, W)`; values are then to be read by [`Program::read`].
    ///
    /// # Panics
    ///
    /// Where these are no whole images, more than the workspace holds, or the workspace is another program's.
    pub fn run(&self, workspace: &mut Workspace, images: &[f32]) {
        let batch = images.len() / self.image.max(1);
        assert_eq!(images.len(), batch * self.image);
        assert_eq!(workspace.program, self.number, "the workspace is another program's");
        assert!(batch <= workspace.capacity, "{batch} images, more than {}", workspace.capacity);
        let lanes = self.plan_turns(workspace, batch);
        // From here on the memory is these numbers, whatever would be given for it another time.
        let (alone, together, scratch) = (&mut *workspace.alone, &mut *workspace.together, &mut *workspace.scratch);
        let found = [alone.len(), together.len(), scratch.len()];
        let lens = Workspace::lens(self, workspace.capacity, workspace.lanes);
        assert_eq!(Some(found), lens, "memory for {} images", workspace.capacity);
        if EXACT_SCRATCH {
            alone.fill(f32::NAN);
            together.fill(f32::NAN);
        }
        let arena = Arena::new([alone, together], workspace.planned, images);
        let mut from = 0;
        let turns = &workspace.turns[..workspace.due];
        while from < turns.len() {
            let is_custom = |turn: &Turn| matches!(self.entry(turn.work).step, Step::Custom(_));
            let until = turns[from..].iter().position(is_custom).map_or(turns.len(), |at| from + at);
            if from < until {
                let times = workspace.timed.then_some(&mut *workspace.times);
                self.region(&turns[from..until], arena, scratch, lanes, times);
            }
            if let Some(turn) = turns.get(until) {
                // A web page's WebAssembly has no clock.
                let started = workspace.timed.then(Instant::now);
                if let Step::Custom(custom) = &self.entry(turn.work).step {
                    self.custom(custom, arena, &mut workspace.views);
                }
                if let Some(started) = started {
                    workspace.times[turn.work] += started.elapsed();
                }
            }
            from = until + 1;
        }
    }

    fn entry(&self, work: usize) -> &Entry {
        &self.entries[self.works[work].entry]
    }

    /// Which tasks run in which order; gives how many threads they are shared out among.
    fn plan_turns(&self, workspace: &mut Workspace, batch: usize) -> usize {
        let turns = &mut workspace.turns;
        let wanted = [batch, threads()];
        let lanes = workspace.lanes.min(wanted[1]).max(1);
        if workspace.planned == wanted {
            turns[..workspace.due].iter_mut().for_each(|turn| turn.renew(lanes));
            return lanes;
        }
        workspace.planned = wanted;
        workspace.due = 0;
        let mut push = |work: usize, image: Option<usize>| {
            let batch = if image.is_some() { 1 } else { batch };
            let narrow = match &self.entry(work).step {
                Step::Narrow(Narrow(narrow)) => narrow.cut(batch),
                _ => NarrowCut::of_tasks(self.works[work].tasks(&self.entries, [batch, wanted[1]])),
            };
            let count = narrow.tasks;
            if count == 0 {
                return;
            }
            // Of an earlier run, if there is one: nothing is allocated for fewer images.
            let earlier = turns.get_mut(workspace.due).map(|turn| std::mem::take(&mut turn.shares));
            let shares = earlier.unwrap_or_else(|| Shares::new(workspace.lanes));
            let (done, ended) = (AtomicUsize::new(0), AtomicU64::new(0));
            let mut turn = Turn { work, image, narrow, count, shares, done, ended };
            turn.renew(lanes);
            match turns.get_mut(workspace.due) {
                Some(earlier) => *earlier = turn,
                None => turns.push(turn),
            }
            workspace.due += 1;
        };
        for image in 0..batch {
            (0..self.alone).for_each(|work| push(work, Some(image)));
        }
        (self.alone..self.works.len()).for_each(|work| push(work, None));
        lanes
    }

    /// Runs some turns on all threads.
    fn region(
        &self,
        turns: &[Turn],
        arena: Arena<'_>,
        scratch: &mut [f32],
        lanes: usize,
        times: Option<&mut [Duration]>,
    ) {
        let (length, shared) = (self.scratch, Shared::new(scratch));
        // A web page's WebAssembly has no clock.
        let began = times.is_some().then(Instant::now);
        let failed = AtomicBool::new(false);
        for_each(lanes, |lane| {
            // SAFETY: each lane has scratch memory of its own.
            let scratch = unsafe { shared.part(lane * length..(lane + 1) * length) };
            for (number, turn) in turns.iter().enumerate() {
                while let Some((task, last)) = turn.shares.take(lane, lanes) {
                    let guard = Guard(&failed);
                    let work = &self.works[turn.work];
                    let entry = &self.entries[work.entry];
                    let own = turn.image.map_or(arena, |image| arena.of_image(image));
                    // What this thread will read first of the next step's weights.
                    let after = match turns.get(number + 1) {
                        Some(next) if last => self.first_lines(next, share(next.count, lane, lanes).start, &arena),
                        _ => Lines::NONE,
                    };
                    let run = |scratch: &mut [f32]| {
                        let task = (task, after);
                        match &entry.step {
                            Step::Narrow(Narrow(narrow)) => {
                                narrow.run(Call { set: self.set, cut: &turn.narrow, arena: &own, task, scratch });
                            }
                            _ => dispatch(self.set, Task { work, entry, arena: &own, task, scratch }),
                        }
                    };
                    match EXACT_SCRATCH {
                        true => with_scratch(entry.scratch, run),
                        false => run(&mut scratch[..entry.scratch]),
                    }
                    std::mem::forget(guard);
                    if turn.done.fetch_add(1, Ordering::Release) + 1 == turn.count
                        && let Some(began) = &began
                    {
                        turn.ended.store(began.elapsed().as_nanos() as u64, Ordering::Relaxed);
                    }
                }
                if !wait(turn, &failed) {
                    return;
                }
            }
        });
        // Whichever threads did the work, a turn takes from the end of the one before it to its own.
        if let Some(times) = times {
            let mut before = 0;
            for turn in turns {
                let ended = turn.ended.load(Ordering::Relaxed);
                times[turn.work] += Duration::from_nanos(ended.saturating_sub(before));
                before = ended;
            }
        }
    }

    /// An operation of the other kernels.
    fn custom(&self, custom: &Custom, arena: Arena<'_>, memory: &mut Vec<View<'static, f32>>) {
        let batch = arena.batch;
        // The same memory with views of another life: there are none in it.
        let mut views: Vec<View<'_, f32>> = std::mem::take(memory).into_iter().map(|_| unreachable!("none")).collect();
        views.extend(custom.inputs.iter().filter_map(|input| {
            let Input::Value { place, map } = input else { return None };
            // SAFETY: no task runs, and the output's store is apart from this one, which `Builder` checked.
            let data =
                unsafe { std::slice::from_raw_parts(arena.store(place).cast_const(), place.store_len() * batch) };
            let map = match map {
                None => Map::Identity,
                Some(map) => Map::Affine { scale: &map.scale, shift: &map.shift, floor: &map.floor },
            };
            Some(View { data, region: place.region(batch), map })
        }));
        let output = &custom.output;
        // SAFETY: as above.
        let data = unsafe { std::slice::from_raw_parts_mut(arena.store(output), output.store_len() * batch) };
        (custom.run)(self.set, &views, Store::plain(data, output.region(batch)));
        views.clear();
        *memory = views.into_iter().map(|_| unreachable!("none")).collect();
    }

    /// Writes a value of the last run, of so many images, to `to`: `(N, C, H, W)`.
    ///
    /// # Panics
    ///
    /// Where the value is not the program's, or `to` is too short.
    pub fn read(&self, workspace: &Workspace, place: &Place, batch: usize, to: &mut [f32]) {
        assert!(place.fits(self.numbers) && !place.alone && batch <= workspace.capacity);
        assert_eq!(workspace.program, self.number, "the workspace is another program's");
        assert_eq!(place.number, Number::F32, "only f32 is read");
        from_blocks(&workspace.together[place.store(batch)], &place.region(batch), to);
    }

    /// What each step has taken, all its passes together, in runs of a workspace that measures.
    pub fn times(&self, workspace: &Workspace) -> Vec<Duration> {
        let mut times = vec![Duration::ZERO; self.entries.len()];
        for (work, time) in self.works.iter().zip(&workspace.times) {
            times[work.entry] += *time;
        }
        times
    }
}

/// Lines of weights that are asked for: a quarter of a second-level cache.
const AHEAD: usize = 4096;

impl Program {
    /// The weights that a task of a turn reads first.
    fn first_lines(&self, turn: &Turn, task: usize, arena: &Arena<'_>) -> Lines {
        let work = &self.works[turn.work];
        let entry = &self.entries[work.entry];
        let batch = if turn.image.is_some() { 1 } else { arena.batch };
        match (&entry.step, &entry.packed) {
            (Step::Narrow(Narrow(narrow)), _) => narrow.first_lines(&turn.narrow, task, AHEAD),
            (_, Some(packed)) => {
                let weights = packed.weights.get();
                let weights = &weights[work.first_weight(entry, task, [batch, arena.threads]).min(weights.len())..];
                Lines::new(weights.as_ptr(), (weights.len() / LANES).min(AHEAD))
            }
            _ => Lines::NONE,
        }
    }
}

/// Tells the other threads that a task has panicked, so that none waits for it.
struct Guard<'a>(&'a AtomicBool);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Waits until all tasks of a turn are done; says whether none has panicked.
fn wait(turn: &Turn, failed: &AtomicBool) -> bool {
    let mut looks = 0;
    while turn.done.load(Ordering::Acquire) < turn.count {
        if failed.load(Ordering::Acquire) {
            return false;
        }
        looks += 1;
        // The system may have stopped the thread that is waited for; then others want the cores, soon this one's too.
        match looks {
            0..LOOKS => std::hint::spin_loop(),
            LOOKS..YIELDS => std::thread::yield_now(),
            _ => std::thread::sleep(NAP),
        }
    }
    true
}

/// One task, compiled for an instruction set.
struct Task<'a> {
    work: &'a Work,
    entry: &'a Entry,
    arena: &'a Arena<'a>,
    /// Which task, and what to ask for on the way.
    task: (usize, Lines),
    scratch: &'a mut [f32],
}

impl Kernel<f32> for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = f32>>(self) {
        let Self { work, entry, arena, task: (task, after), scratch } = self;
        let Entry { step, cut, packed, .. } = entry;
        // SAFETY of all: `Builder` checked that a step's shapes fit each other and the arena and that it writes nothing it
        // reads. Each task is taken once, and writes what no other task of its turn does; no turn begins before the one
        // before it has ended.
        match (step, cut, packed) {
            (Step::Convolution(step), Cut::Direct(direct), Some(packed)) => {
                // SAFETY: see above.
                unsafe { direct.run::<V>((step, packed), arena, (task, after), scratch) }
            }
            (Step::Convolution(step), Cut::Winograd(winograd), Some(packed)) => {
                // SAFETY: see above.
                unsafe {
                    match work.prepares {
                        true => winograd.transform::<V>(step, arena, task, scratch),
                        false => winograd.run::<V>((step, packed), arena, (task, after), scratch),
                    }
                }
            }
            (Step::Linear(step), Cut::Linear(linear), Some(packed)) => {
                // SAFETY: see above.
                unsafe {
                    match work.prepares {
                        true => linear.gather::<V>(step, arena, task),
                        false => linear.run::<V>((step, packed), arena, task),
                    }
                }
            }
            (Step::MaxPool { max, input: Input::Value { place, map }, output }, ..) => {
                // SAFETY: see above.
                unsafe { pool::max::<V>(max, (place, map.as_deref()), output, arena, task, scratch) }
            }
            (Step::AveragePool { average, input: Input::Value { place, map }, output }, ..) => {
                // SAFETY: see above.
                unsafe { pool::average::<V>(average, (place, map.as_deref()), output, arena, task, scratch) }
            }
            (Step::Sum { inputs, output, relu }, ..) => {
                // SAFETY: see above.
                unsafe { moves::sum::<V>(inputs, *relu, output, arena, task) }
            }
            _ => unreachable!("a step that its builder would have refused"),
        }
    }
}
