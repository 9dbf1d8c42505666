//! Laws of the hub's files, on a small cache written here.

use cnn_data::hub::Hub;
use cnn_data::{Dataset, Error, Name};
use image::{DynamicImage, GrayImage, ImageFormat, Rgb, RgbImage};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A row: the encoded image and the label, either of which may be null.
type Row = (Option<Vec<u8>>, Option<i64>);

fn parquet(image: &str, groups: &[Vec<Row>]) -> Vec<u8> {
    let schema = format!(
        "message schema {{ optional group {image} {{ optional binary bytes; optional binary path (UTF8); }} optional int64 label; }}"
    );
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let mut writer =
        SerializedFileWriter::new(Vec::new(), schema, Arc::new(WriterProperties::builder().build())).unwrap();
    for rows in groups {
        let mut group = writer.next_row_group().unwrap();
        for column in 0..2 {
            let bytes = |(bytes, _): &Row| if column == 0 { bytes.clone() } else { None };
            let levels: Vec<i16> = rows.iter().map(|row| if bytes(row).is_some() { 2 } else { 1 }).collect();
            let values: Vec<ByteArray> = rows.iter().filter_map(bytes).map(ByteArray::from).collect();
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).unwrap();
            column.close().unwrap();
        }
        let levels: Vec<i16> = rows.iter().map(|(_, label)| i16::from(label.is_some())).collect();
        let values: Vec<i64> = rows.iter().filter_map(|(_, label)| *label).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&values, Some(&levels), None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.into_inner().unwrap()
}

/// Writes `bytes` where the hub's cache has the `split` of `name`.
fn cache(folder: &Path, name: Name, split: &str, bytes: &[u8]) -> PathBuf {
    let (repository, below) = match name {
        Name::Mnist => ("datasets--ylecun--mnist", "mnist"),
        Name::FashionMnist => ("datasets--zalando-datasets--fashion_mnist", "fashion_mnist"),
        Name::Cifar100 => ("datasets--uoft-cs--cifar100", "cifar100"),
        _ => ("datasets--cifar10", "plain_text"),
    };
    let repository = folder.join(repository);
    fs::create_dir_all(repository.join("refs/refs/convert")).unwrap();
    fs::write(repository.join("refs/refs/convert/parquet"), COMMIT).unwrap();
    let file = repository.join("snapshots").join(COMMIT).join(below).join(split).join("0000.parquet");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, bytes).unwrap();
    file
}

fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn grey(value: u8) -> Vec<u8> {
    png(GrayImage::from_fn(28, 28, |x, y| image::Luma([if (x, y) == (3, 0) { value } else { 0 }])))
}

fn load(folder: &Path, name: Name) -> Result<Dataset, Error> {
    Hub::new().with_cache(folder).offline().load(name)
}

#[test]
fn rows_are_read_in_order_across_groups() {
    let folder = tempfile::tempdir().unwrap();
    for name in [Name::Mnist, Name::FashionMnist] {
        let groups = [vec![(Some(grey(10)), Some(4)), (Some(grey(20)), Some(0))], vec![(Some(grey(30)), Some(9))]];
        cache(folder.path(), name, "train", &parquet("image", &groups));
        cache(folder.path(), name, "test", &parquet("image", &groups[1..]));
        let data = load(folder.path(), name).unwrap();
        assert_eq!(
            (data.name(), data.train().labels(), data.test().labels()),
            (name.as_str(), &[4, 0, 9][..], &[9][..])
        );
        let seen: Vec<u8> = (0..3).map(|index| data.train().image(index).unwrap()[3]).collect();
        assert_eq!(seen, [10, 20, 30]);
    }
}

#[test]
fn colours_stand_upright() {
    // Red grows to the right, green grows downwards, blue marks the upper right corner.
    let picture = RgbImage::from_fn(32, 32, |x, y| Rgb([8 * x as u8, 8 * y as u8, 255 * u8::from(x == 31 && y == 0)]));
    let folder = tempfile::tempdir().unwrap();
    let file = parquet("img", &[vec![(Some(png(picture)), Some(3))]]);
    cache(folder.path(), Name::Cifar10, "train", &file);
    cache(folder.path(), Name::Cifar10, "test", &file);
    let data = load(folder.path(), Name::Cifar10).unwrap();
    let image = data.train().image(0).unwrap();
    for row in 0..32 {
        for column in 0..32 {
            let at = |channel: usize| image[(channel * 32 + row) * 32 + column];
            let corner = if (row, column) == (0, 31) { 255 } else { 0 };
            assert_eq!([at(0), at(1), at(2)], [8 * column as u8, 8 * row as u8, corner], "row {row} column {column}");
        }
    }
}

#[test]
fn what_is_damaged_is_one_sentence_that_names_file_and_row() {
    let good = || (Some(grey(1)), Some(1));
    let mut cut = grey(1);
    cut.truncate(cut.len() / 2);
    let cases: [(Vec<Row>, &str); 8] = [
        (vec![good(), (Some(cut), Some(1))], "row 1: expected an image of 28×28, found one that is damaged"),
        (
            vec![good(), (Some(b"no picture".to_vec()), Some(1))],
            "row 1: expected an image of 28×28, found one that is damaged",
        ),
        (vec![(Some(vec![]), Some(1))], "row 0: expected an image of 28×28, found one that is damaged"),
        (vec![(Some(png(GrayImage::new(27, 28))), Some(1))], "row 0: expected an image of 28×28, found one of 28×27"),
        (vec![good(), (None, Some(1)), good()], "row 1: expected an image and a label, found nothing"),
        (vec![good(), good(), (Some(grey(1)), None)], "row 2: expected an image and a label, found nothing"),
        (vec![good(), (Some(grey(1)), Some(-1))], "row 1: expected a label of at least 0, found -1"),
        (vec![good(), (Some(grey(1)), Some(10))], "label 10 at index 1 is out of range, expected less than 10 classes"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = cache(folder.path(), Name::Mnist, "test", &parquet("image", &[vec![good()]]));
    for (rows, expected) in cases {
        let path = cache(folder.path(), Name::Mnist, "train", &parquet("image", &[rows]));
        let error = load(folder.path(), Name::Mnist).unwrap_err().to_string();
        assert!(error.starts_with(path.to_str().unwrap()), "{error}");
        assert!(error.contains(expected) && !error.contains('\n'), "expected {expected:?} in {error:?}");
    }
    // Another data set's file, whose pictures are elsewhere.
    let schema = Arc::new(parse_message_type("message schema { optional int64 label; }").unwrap());
    let writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(WriterProperties::builder().build())).unwrap();
    cache(folder.path(), Name::Mnist, "train", &writer.into_inner().unwrap());
    let error = load(folder.path(), Name::Mnist).unwrap_err().to_string();
    assert!(error.contains("expected a column ….bytes, found the columns label"), "{error}");
    fs::remove_file(path).unwrap();
    let error = load(folder.path(), Name::Mnist).unwrap_err();
    assert!(matches!(error, Error::Hub { .. }));
    assert!(error.to_string().starts_with("ylecun/mnist: expected mnist/test/0000.parquet in the cache"), "{error}");
}

#[test]
fn no_damage_to_a_file_is_a_panic() {
    let rows = (0..6).map(|index| (Some(grey(index)), Some(i64::from(index)))).collect();
    let whole = parquet("image", &[rows]);
    let folder = tempfile::tempdir().unwrap();
    cache(folder.path(), Name::Mnist, "test", &whole);
    cache(folder.path(), Name::Mnist, "train", &whole);
    let hub = Hub::new().with_cache(folder.path()).offline();
    let expected = hub.load(Name::Mnist).unwrap();
    let mut refused = 0;
    let cuts = (0..whole.len()).step_by(97).map(|cut| whole[..cut].to_vec());
    let flips = (0..whole.len()).step_by(3).map(|place| {
        let mut bytes = whole.clone();
        bytes[place] ^= 0xff;
        bytes
    });
    for bytes in cuts.chain(flips) {
        cache(folder.path(), Name::Mnist, "train", &bytes);
        match hub.load(Name::Mnist) {
            Ok(data) => assert_eq!(data.train().len(), expected.train().len()),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > whole.len() / 12, "{refused} of {} refused", whole.len());
}
