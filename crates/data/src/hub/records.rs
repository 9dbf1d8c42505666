//! Images out of a Parquet file of encoded images and labels.

use std::fs::File;
use std::path::Path;

use candle_datasets::hub::FileReader;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::RowGroupReader;
use parquet::file::serialized_reader::SerializedFileReader;
use rayon::prelude::*;

use crate::{Error, Images, Name};

/// Every row of the file at `path`: the picture in the column `….bytes` (repositories call it `image` or `img`) and the
/// class in the column `label`.
pub(super) fn images(path: &Path, name: Name) -> Result<Images, Error> {
    // The parquet crate panics on some damaged pages (a dictionary that is not there, for one): that is an error too.
    std::panic::catch_unwind(|| read(path, name)).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<&str>().map(|text| text.to_string());
        let message = message.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(Parquet { path }.error("the file", "intact Parquet".to_string(), format!("a damaged file: {message}")))
    })
}

fn read(path: &Path, name: Name) -> Result<Images, Error> {
    let file = Parquet { path };
    let handle = File::open(path).map_err(|source| Error::Read { path: path.to_path_buf(), source })?;
    let reader = SerializedFileReader::new(handle).map_err(|error| file.damaged(&error))?;
    let schema = reader.metadata().file_metadata().schema_descr();
    let column = |wanted: &str, fits: &dyn Fn(&str) -> bool| {
        let place = schema.columns().iter().position(|column| fits(&column.path().string()));
        place.ok_or_else(|| {
            let columns: Vec<String> = schema.columns().iter().map(|column| column.path().string()).collect();
            file.error("the file", format!("a column {wanted}"), format!("the columns {}", columns.join(", ")))
        })
    };
    let (image, label) =
        (column("….bytes", &|path| path.ends_with(".bytes"))?, column("label", &|path| path == "label")?);
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(|error| file.damaged(&error))?;
        let first = labels.len();
        let encoded = match file.column(&*group, image)? {
            ColumnReader::ByteArrayColumnReader(column) => file.values(column, rows(&*group), first)?,
            _ => return Err(file.error("the file", "images as bytes".into(), "another type".into())),
        };
        let classes = match file.column(&*group, label)? {
            ColumnReader::Int64ColumnReader(column) => file.values(column, rows(&*group), first)?,
            _ => return Err(file.error("the file", "labels as 64-bit integers".into(), "another type".into())),
        };
        for (index, class) in classes.into_iter().enumerate() {
            let label = u32::try_from(class).map_err(|_| {
                file.error(format!("row {}", first + index), "a label of at least 0".into(), class.to_string())
            })?;
            labels.push(label);
        }
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

fn rows(group: &dyn RowGroupReader) -> usize {
    usize::try_from(group.metadata().num_rows()).unwrap_or_default()
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

    fn column(&self, group: &dyn RowGroupReader, index: usize) -> Result<ColumnReader, Error> {
        group.get_column_reader(index).map_err(|error| self.damaged(&error))
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

    /// The pixels of one encoded image in the order (channel, row, column).
    fn decode(&self, bytes: &[u8], row: usize, shape: [usize; 3]) -> Result<Vec<u8>, Error> {
        let [channels, height, width] = shape;
        let expected = || format!("an image of {height}×{width}");
        let picture = image::load_from_memory(bytes)
            .map_err(|error| self.error(format!("row {row}"), expected(), format!("one that is damaged: {error}")))?;
        let found = [picture.height() as usize, picture.width() as usize];
        if found != [height, width] {
            return Err(self.error(format!("row {row}"), expected(), format!("one of {}×{}", found[0], found[1])));
        }
        // Decoded pictures go row by row, the channels of a pixel together.
        let interleaved = match channels {
            1 => picture.into_luma8().into_raw(),
            _ => picture.into_rgb8().into_raw(),
        };
        let plane = |channel| interleaved.iter().skip(channel).step_by(channels).copied();
        Ok((0..channels).flat_map(plane).collect())
    }
}
