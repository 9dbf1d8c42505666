//! Event files: held to TensorBoard's own bytes, and read back from a run.

use cnn_report::TensorBoard;
use cnn_report::tensorboard::{Event, What, framed, masked_crc};
use cnn_train::{Begin, Epoch, Observer, StepReport, Task};
use std::path::{Path, PathBuf};

type Failure = Box<dyn std::error::Error>;

#[test]
fn bytes_are_those_of_tensorboard() {
    let golden = include_bytes!("goldens/scalars.tfevents");
    let long = "é".repeat(70);
    let mut file = framed(&Event { wall_time: 1.5e9, step: 0, what: What::Version }.encoded());
    for step in [1, 127, 128, 300_000] {
        let scalars = [("step/loss", 1.0 / step as f64), ("step/learning_rate", 0.0), (long.as_str(), -2.5)];
        let event = Event { wall_time: 1.5e9 + step as f64 / 8.0, step, what: What::Scalars(&scalars) };
        file.extend(framed(&event.encoded()));
    }
    assert_eq!(file, golden);
}

/// The payloads of a file of records, each with both checksums right.
fn records(mut bytes: &[u8]) -> Result<Vec<&[u8]>, Failure> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_at_checked(12).ok_or("a cut header")?;
        let length = u64::from_le_bytes(head[..8].try_into()?) as usize;
        assert_eq!(u32::from_le_bytes(head[8..].try_into()?), masked_crc(&head[..8]));
        let (payload, rest) = rest.split_at_checked(length).ok_or("a cut record")?;
        let (sum, rest) = rest.split_at_checked(4).ok_or("a cut checksum")?;
        assert_eq!(u32::from_le_bytes(sum.try_into()?), masked_crc(payload));
        records.push(payload);
        bytes = rest;
    }
    Ok(records)
}

fn event_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    std::fs::read_dir(folder.join("tensorboard"))?.map(|entry| Ok(entry?.path())).collect()
}

/// Begins a run of a small network that keeps its figures in `folder`.
fn begin(events: &mut TensorBoard, folder: &Path, steps_done: usize) -> Result<(), Failure> {
    let dataset = cnn_data::digits(cnn_data::DigitsConfig { train: 20, test: 10, ..Default::default() })?;
    let network = cnn_core::definition::chain()
        .flatten()
        .then("fc", cnn_core::definition::linear(10))
        .named("small", [1, 28, 28])
        .at([1, 28, 28])?;
    let task = Task::new(&network, &dataset, cnn_data::Preparation::of(dataset.train())?);
    events.begin(&Begin {
        task: &task,
        folder: Some(folder),
        epochs_done: 0,
        steps_done,
        learning_rate: 0.0,
        changes: &[],
    });
    Ok(())
}

#[test]
fn a_run_that_begins_anew_replaces_its_events() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    for _ in 0..2 {
        let mut events = TensorBoard::new();
        begin(&mut events, folder.path(), 0)?;
        for step in 1..=3 {
            let (images, loss, accuracy, learning_rate) = (10, 2.0, 0.5, 0.1);
            let at = StepReport { epoch: 1, epochs: 1, step, steps: 3, images, loss, accuracy, learning_rate };
            assert!(events.step(&at).is_continue());
        }
        events.epoch(
            &Epoch {
                epoch: 1,
                train_loss: 2.0,
                train_accuracy: 0.5,
                test_loss: 1.0,
                test_accuracy: 0.75,
                learning_rate: 0.1,
                images_per_second: 100.0,
                seconds: 0.3,
                ..Epoch::default()
            },
            true,
        );
        events.finish()?;
    }
    let files = event_files(folder.path())?;
    assert_eq!(files.len(), 1);
    let bytes = std::fs::read(&files[0])?;
    let records = records(&bytes)?;
    // The version, three steps, an epoch.
    assert_eq!(records.len(), 5);
    let holds = |record: &[u8], text: &str| record.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds(records[0], "brain.Event:2") && holds(records[1], "step/loss"));
    assert!(holds(records[4], "epoch/test_accuracy") && holds(records[4], &String::from_utf8_lossy(&[0, 0, 64, 63])));
    Ok(())
}

#[test]
fn a_run_that_goes_on_within_its_first_epoch_keeps_its_events() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    std::fs::create_dir(folder.path().join("tensorboard"))?;
    let before = folder.path().join("tensorboard/events.out.tfevents.0000000001.cnn.1");
    std::fs::write(&before, "of the steps before")?;
    for (steps_done, kept) in [(5, true), (0, false)] {
        let mut events = TensorBoard::new();
        begin(&mut events, folder.path(), steps_done)?;
        events.finish()?;
        assert_eq!(before.exists(), kept, "{steps_done}");
    }
    Ok(())
}

#[test]
fn a_folder_that_cannot_be_written_is_told_at_the_end() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("tensorboard"), "in the way")?;
    let mut events = TensorBoard::new();
    begin(&mut events, folder.path(), 0)?;
    let message = events.finish().err().ok_or("it was written")?.to_string();
    assert!(message.contains("tensorboard: cannot make the folder"), "{message}");
    Ok(())
}
