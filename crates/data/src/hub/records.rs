//! Images out of a Parquet file of encoded images and labels.

use super::pages::Bounded;
use crate::Reading;
use crate::decode::Encoded;
use crate::{Error, Images, Name};
use cnn_system::{Bytes, file, guard};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;
use rayon::prelude::*;
use std::path::Path;

/// The most bytes of pixels in a file, and of encoded images in a group of its rows: CIFAR-10 has 154 million.
const MOST: u64 = 1_000_000_000;

/// Every row of the file at `path`: the picture in the column `….bytes` (repositories call it `image` or `img`) and the
/// class in the column `label`.
pub(super) fn images(path: &Path, name: Name, label: &str) -> Result<Images, Error> {
    // The parquet crate panics on some damaged pages (a dictionary that is not there, for one): that is an error too.
    guard::caught(|| read(path, name, label)).unwrap_or_else(|panic| {
        Err(Parquet { path }.error("the file", "intact Parquet".to_string(), format!("a damaged file: {panic}")))
    })
}

fn read(path: &Path, name: Name, label: &str) -> Result<Images, Error> {
    let file = Parquet { path };
    let handle = file::open(path).map_err(|source| Error::Read { path: path.to_path_buf(), source })?;
    let reader = SerializedFileReader::new(handle).map_err(|error| file.damaged(&error))?;
    let schema = reader.metadata().file_metadata().schema_descr();
    let column = |wanted: &str, fits: &dyn Fn(&str) -> bool| {
        let place = schema.columns().iter().position(|column| fits(&column.path().string()));
        place.ok_or_else(|| {
            let columns: Vec<String> = schema.columns().iter().map(|column| column.path().string()).collect();
            file.error("the file", format!("a column {wanted}"), format!("the columns {}", columns.join(", ")))
        })
    };
    let (image, label) = (column("….bytes", &|path| path.ends_with(".bytes"))?, column(label, &|path| path == label)?);
    let groups: Vec<u64> = reader.metadata().row_groups().iter().map(|group| group.num_rows().max(0) as u64).collect();
    file.check_rows(&groups, name)?;
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(|error| file.damaged(&error))?;
        let encoded = file.encoded(&*group, image, labels.len())?;
        let (first, classes) = (labels.len(), file.classes(&*group, label, labels.len())?);
        labels.extend(classes);
        let decoded: Vec<Vec<u8>> = encoded
            .par_iter()
            .enumerate()
            .map(|(index, bytes)| file.decode(bytes.data(), first + index, name.shape()))
            .collect::<Result<_, _>>()?;
        pixels.extend(decoded.into_iter().flatten());
    }
    let images = Images::new(name.shape(), pixels, labels)?;
    images.check_labels(&path.display().to_string(), name.classes().len())?;
    Ok(images)
}

/// A Parquet file that errors name.
struct Parquet<'a> {
    path: &'a Path,
}

impl Parquet<'_> {
    fn error(&self, place: impl Into<String>, expected: String, found: String) -> Error {
        Error::Record { path: self.path.to_path_buf(), place: place.into(), expected, found }
    }

    fn damaged(&self, error: &ParquetError) -> Error {
        self.error("the file", "intact Parquet".to_string(), format!("a damaged file: {error}"))
    }

    /// The pixels of one encoded image in the order (channel, row, column).
    fn decode(&self, bytes: &[u8], row: usize, [channels, height, width]: [usize; 3]) -> Result<Vec<u8>, Error> {
        let wrong = |found| self.error(format!("row {row}"), format!("an image of {height}×{width}"), found);
        let damaged =
            |problem: String| wrong(format!("one that is damaged: {}", problem.trim_start_matches("it is damaged: ")));
        let encoded = Encoded { bytes, reading: Reading::default() };
        // From the head: nothing larger is decoded.
        match encoded.outline().map_err(damaged)?.size {
            size if size == [height, width] => encoded.pixels(channels).map_err(damaged),
            [height, width] => Err(wrong(format!("one of {height}×{width}"))),
        }
    }

    /// Refuses more rows than a data set has, before any is read.
    fn check_rows(&self, groups: &[u64], name: Name) -> Result<(), Error> {
        let rows = groups.iter().fold(0_u64, |sum, rows| sum.saturating_add(*rows));
        let pixels = rows.saturating_mul(name.shape().iter().product::<usize>() as u64);
        if pixels <= MOST {
            return Ok(());
        }
        let [channels, height, width] = name.shape();
        let found = format!("{rows} images of {channels}×{height}×{width}");
        Err(Error::TooLarge { path: self.path.to_path_buf(), most: Bytes(MOST), found })
    }

    fn encoded(&self, group: &dyn RowGroupReader, column: usize, first: usize) -> Result<Vec<ByteArray>, Error> {
        match self.column(group, column)? {
            ColumnReader::ByteArrayColumnReader(column) => self.values(column, rows(group), first),
            _ => Err(self.error("the file", "images as bytes".into(), "another type".into())),
        }
    }

    fn classes(&self, group: &dyn RowGroupReader, column: usize, first: usize) -> Result<Vec<u32>, Error> {
        let classes = match self.column(group, column)? {
            ColumnReader::Int64ColumnReader(column) => self.values(column, rows(group), first)?,
            _ => return Err(self.error("the file", "labels as 64-bit integers".into(), "another type".into())),
        };
        let label = |(index, class): (usize, i64)| {
            u32::try_from(class).map_err(|_| {
                self.error(format!("row {}", first + index), "a label of at least 0".into(), class.to_string())
            })
        };
        classes.into_iter().enumerate().map(label).collect()
    }

    fn column(&self, group: &dyn RowGroupReader, index: usize) -> Result<ColumnReader, Error> {
        let pages = group.get_column_page_reader(index).map_err(|error| self.damaged(&error))?;
        let description = group.metadata().schema_descr().column(index);
        Ok(get_column_reader(description, Box::new(Bounded::new(pages, MOST))))
    }

    /// All `rows` values of a column, whose first is row `first` of the file; a null is an error.
    fn values<T: DataType>(
        &self,
        mut column: ColumnReaderImpl<T>,
        rows: usize,
        first: usize,
    ) -> Result<Vec<T::T>, Error> {
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        let mut records = 0;
        while records < rows {
            let read = column.read_records(rows - records, Some(&mut levels), None, &mut values);
            match read.map_err(|error| self.damaged(&error))? {
                (0, _, _) => break,
                (read, _, _) => records += read,
            }
        }
        if values.len() != rows {
            let highest = levels.iter().max().copied().unwrap_or_default();
            let null = levels.iter().position(|level| *level < highest).unwrap_or(values.len());
            return Err(self.error(format!("row {}", first + null), "an image and a label".into(), "nothing".into()));
        }
        Ok(values)
    }
}

fn rows(group: &dyn RowGroupReader) -> usize {
    usize::try_from(group.metadata().num_rows()).unwrap_or_default()
}
