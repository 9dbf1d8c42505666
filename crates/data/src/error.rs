//! What can go wrong with data.

use crate::Fold;
use cnn_figures::number;
use cnn_network::error::did_you_mean;
use cnn_system::{Bytes, memory};
use std::path::PathBuf;

/// Every error of this crate; each names where, what was expected and what was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Pixels and labels that do not belong together.
    #[error(
        "{labels} labels of {channels}×{height}×{width} images need {expected} bytes of pixels, found {found}",
        channels = shape[0], height = shape[1], width = shape[2]
    )]
    Lengths {
        /// Channels, height and width of one image.
        shape: [usize; 3],
        /// Number of labels given.
        labels: usize,
        /// Bytes that so many images take.
        expected: usize,
        /// Bytes given.
        found: usize,
    },

    /// An image shape with a zero in it.
    #[error("an image of {channels}×{height}×{width} has no pixels, expected each to be at least 1",
        channels = shape[0], height = shape[1], width = shape[2])]
    EmptyShape {
        /// Channels, height and width of one image.
        shape: [usize; 3],
    },

    /// More images than memory has room for.
    #[error("{count} images of {bytes} bytes each do not fit into memory")]
    TooMany {
        /// Number of images asked for.
        count: usize,
        /// Bytes of each.
        bytes: usize,
    },

    /// What weights say of themselves cannot be read.
    #[error("{weights}: the card in its metadata: {problem}")]
    Card {
        /// The file of weights.
        weights: String,
        /// What is wrong.
        problem: String,
    },

    /// Data sets that do not go together.
    #[error("{name} cannot be one data set: {problem}")]
    Joined {
        /// The names of both.
        name: String,
        /// Why not.
        problem: String,
    },

    /// A folder to judge weights on that has images to train on alone.
    #[error("{} has images to train on alone: name the folder of those to judge", path.display())]
    OnlyTraining {
        /// The folder.
        path: PathBuf,
    },

    /// Two folders that stand for the same split.
    #[error("{} and {} are names of the same split: rename or remove one of them", path.display(), other.display())]
    SplitTwice {
        /// A folder.
        path: PathBuf,
        /// The other.
        other: PathBuf,
    },

    /// A folder to train on that has images to judge alone.
    #[error("{}: found {split} but no folder train beside it: images to train on are missing", path.display())]
    OnlyJudged {
        /// The folder.
        path: PathBuf,
        /// The folder in it that was found.
        split: String,
    },

    /// A class whose images were all drawn to be judged.
    #[error(
        "{}: all its images ({images}) are drawn to be judged, since their names and the seed decide; {} leave some to train on",
        path.display(),
        match fold {
            Some(_) => "another --seed, more folds or more images",
            None => "another --seed, a smaller --test-share, more images or a folder val",
        }
    )]
    AllDrawn {
        /// The class's folder.
        path: PathBuf,
        /// How many images it has.
        images: usize,
        /// The fold that is judged, where a fold is.
        fold: Option<Fold>,
    },

    /// A folder of which no image was drawn to be judged.
    #[error(
        "{}: of its images ({images}) none is drawn to be judged, since their names and the seed decide; {} give some",
        path.display(),
        match fold {
            Some(_) => "another --seed, fewer folds or more images",
            None => "another --seed, a larger --test-share, more images or a folder val",
        }
    )]
    NoneDrawn {
        /// The folder.
        path: PathBuf,
        /// How many images it has.
        images: usize,
        /// The fold that is judged, where a fold is.
        fold: Option<Fold>,
    },

    /// A fold that leaves no image to train on, or none to judge.
    #[error(
        "fold {fold} of the images to train on ({images}) leaves none to judge or none to train on; another --seed, another \
         number of folds or more images give some"
    )]
    EmptyFold {
        /// The fold.
        fold: Fold,
        /// How many images there are to train on.
        images: usize,
    },

    /// A part of a cross-validation that cannot be.
    #[error("expected a fold as 1/5, of at least 2 and at most 1000, found {found}")]
    Fold {
        /// What was given.
        found: String,
    },

    /// A label that no class has.
    #[error("{origin}: label {label} at index {index} is out of range, expected less than {classes} classes")]
    Label {
        /// The file, or the data set and its split.
        origin: String,
        /// Which image of the file.
        index: usize,
        /// The label found.
        label: u32,
        /// The number of classes.
        classes: usize,
    },

    /// Training and test images of different shapes.
    #[error("{name}: training images are {train:?}, test images {test:?} (channels, height, width), expected the same")]
    Shapes {
        /// The data set.
        name: String,
        /// Channels, height and width of the training images.
        train: [usize; 3],
        /// Channels, height and width of the test images.
        test: [usize; 3],
    },

    /// A file of a data set that is not there under any of its names.
    #[error("{}: found none of {}", folder.display(), names.join(", "))]
    Missing {
        /// The folder looked into.
        folder: PathBuf,
        /// The names that would have done, as paths below the folder.
        names: Vec<String>,
    },

    /// A file that cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },

    /// A file ending in `.gz` that does not unpack.
    #[error("{}: expected an intact gzip file, found one that does not unpack: {source}", path.display())]
    Gzip {
        /// The file.
        path: PathBuf,
        /// What the decompressor says.
        source: std::io::Error,
    },

    /// A file that begins with the wrong magic number.
    #[error("{}: expected the magic number {expected:#010x}, found {found:#010x}", path.display())]
    Magic {
        /// The file.
        path: PathBuf,
        /// The number of the format.
        expected: u32,
        /// The file's first four bytes.
        found: u32,
    },

    /// A class's folder whose name is not UTF-8: in the names of classes it would be like others.
    #[error("{path:?}: the name of a class's folder is to be UTF-8; give it another")]
    ClassName {
        /// The folder.
        path: PathBuf,
    },

    /// A file that ends too early or goes on too long.
    #[error("{}: expected {what}, {expected} bytes in all, found {found}", path.display())]
    Size {
        /// The file, unpacked if it is a gzip file.
        path: PathBuf,
        /// What the bytes are.
        what: String,
        /// Where the file should end.
        expected: u64,
        /// Where the file ends.
        found: String,
    },

    /// A file that holds more than is read of its kind.
    #[error("{}: expected at most {most}, found {found}", path.display())]
    TooLarge {
        /// The file, unpacked if it is a gzip file.
        path: PathBuf,
        /// The most that is read.
        most: Bytes,
        /// What the file promises to hold.
        found: String,
    },

    /// A file that holds no image.
    #[error("{}: expected at least 1 image, found 0", path.display())]
    NoImage {
        /// The file.
        path: PathBuf,
    },

    /// Images of a shape that the data set does not have.
    #[error("{}: expected images of {expected:?} (channels, height, width), found {found:?}", path.display())]
    ImageShape {
        /// The file.
        path: PathBuf,
        /// Channels, height and width of the data set.
        expected: [usize; 3],
        /// Channels, height and width in the file.
        found: [usize; 3],
    },

    /// Two files, one of images and one of their labels, that do not belong together.
    #[error("{}: expected {expected} labels, one for each image of {}, found {found}", path.display(), images.display())]
    Counts {
        /// The file of labels.
        path: PathBuf,
        /// The file of images.
        images: PathBuf,
        /// Number of images.
        expected: usize,
        /// Number of labels.
        found: usize,
    },

    /// A file or record of the hub that does not hold what it should.
    #[error("{}: {place}: expected {expected}, found {found}", path.display())]
    Record {
        /// The Parquet file.
        path: PathBuf,
        /// Which row of it, or `the file`.
        place: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },

    /// A file of the hub that is neither in the cache nor to be had.
    #[error("{repository}: expected {file} in the cache or on the hub, found neither: {reason}")]
    Hub {
        /// The repository on the hub.
        repository: String,
        /// The file in it.
        file: String,
        /// What the client says.
        reason: String,
    },

    /// A file of the hub that is not in the cache, where the hub cannot be reached.
    #[error(
        "{name}: {file} of {repository} is not in the cache, and the hub cannot be reached; its classic files are read from a \
         folder of yours (--data-dir)"
    )]
    HubUnreachable {
        /// The data set asked for.
        name: String,
        /// The repository on the hub.
        repository: String,
        /// The file in it.
        file: String,
    },

    /// The hub was asked for and this program was built without it: a caller may run itself again with the feature.
    #[error(
        "{name} comes from the hub, expected a build with the feature `hub`, found one without; its classic files are read \
         from a folder of yours (--data-dir)"
    )]
    HubFeature {
        /// The data set asked for.
        name: String,
    },

    /// A data set that the source does not have.
    #[error("{name} cannot come from {origin}, expected {expected}")]
    Source {
        /// The data set asked for.
        name: String,
        /// The source asked.
        origin: String,
        /// Where the data set can come from.
        expected: &'static str,
    },

    /// A name that no data set has.
    #[error("no data set is named {found:?}, expected one of {}{}", expected.join(", "), did_you_mean(near))]
    Name {
        /// The name given.
        found: String,
        /// The names there are.
        expected: Vec<&'static str>,
        /// Names that are like it, the most like first.
        near: Vec<String>,
    },

    /// An index beyond the images.
    #[error("there is no image {index}, expected less than {count}")]
    Index {
        /// The index asked for.
        index: usize,
        /// The number of images.
        count: usize,
    },

    /// Numbers of a preparation that suit no images.
    #[error("the preparation needs {expected}, found {found}")]
    Numbers {
        /// What a preparation needs.
        expected: String,
        /// What it has.
        found: String,
    },

    /// A preparation that does not suit the images.
    #[error("the preparation does not suit images of {channels}×{height}×{width}: expected {expected}, found {found}",
        channels = shape[0], height = shape[1], width = shape[2])]
    Preparation {
        /// Channels, height and width of one image.
        shape: [usize; 3],
        /// What the images need.
        expected: String,
        /// What the preparation has.
        found: String,
    },

    /// An augmentation that cannot be.
    #[error("augmentation {step}: {problem}")]
    Augmentation {
        /// The step's name.
        step: String,
        /// What is expected and found.
        problem: String,
    },

    /// A name that no interpolation has.
    #[error("no interpolation is named {found:?}, expected one of {}", expected.join(", "))]
    Interpolation {
        /// The name given.
        found: String,
        /// The names there are.
        expected: Vec<&'static str>,
    },

    /// A name that no crop mode has.
    #[error("no crop mode is named {found:?}, expected one of center, squash, border")]
    CropMode {
        /// The name given.
        found: String,
    },

    /// A share that nothing can be cropped to.
    #[error("expected a share to crop above 0 and at most 1000, found {}", number(*found))]
    CropShare {
        /// The share given.
        found: f64,
    },

    /// A file of a folder that is no intact image.
    #[error("{}: {problem}", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },

    /// A folder of images without a folder for a class.
    #[error(
        "{}: expected a folder of images for each class, found no folder: a class is named by the folder above it, the classic \
         files of a data set by --data-dir", path.display()
    )]
    NoClass {
        /// The folder.
        path: PathBuf,
    },

    /// A class without images.
    #[error("{}: expected images of the class, found none: remove the folder, or put its images there", path.display())]
    EmptyClass {
        /// The class's folder.
        path: PathBuf,
    },

    /// A class whose images to train on were all found damaged and left out.
    #[error(
        "{class}: all its images to train on ({images}) are damaged and left out: put intact ones in their place, or remove \
         the class's folder"
    )]
    DamagedClass {
        /// The class.
        class: String,
        /// How many of its images were left out.
        images: usize,
    },

    /// A class of the test images that the training images do not have.
    #[error(
        "{}: expected a class of the training images {classes:?}, found {class:?}: rename the folder to one of them, or move it \
         away",
        path.display()
    )]
    UnknownClass {
        /// The class's folder.
        path: PathBuf,
        /// Its name, in which letters that look alike are told apart.
        class: String,
        /// The classes of the training images.
        classes: Vec<String>,
    },

    /// A class that is not among those that weights know.
    #[error(
        "{class:?} is no class of the weights, which know {count}{}: {way_out}",
        closest(nearest),
        way_out = if *of_folder {
            "rename its folder, move it away, or train on it"
        } else {
            "these weights are of other classes; judge them on a data set of theirs, or train on this one"
        }
    )]
    ForeignClass {
        /// The class of the images.
        class: String,
        /// How many classes the weights know.
        count: usize,
        /// The class of the weights whose name is closest, if any is close.
        nearest: Option<String>,
        /// Whether the class is a folder of images, which can be renamed.
        of_folder: bool,
    },

    /// A class whose name several of the weights' classes have.
    #[error("{class:?} is the name of {count} classes of the weights, expected names of which each is one class's")]
    AmbiguousClass {
        /// The class of the images.
        class: String,
        /// How many of the weights' classes are named so.
        count: usize,
    },

    /// A share of test images that leaves one side without.
    #[error("expected a share of test images above 0 and below 1, found {}", number(*found))]
    TestShare {
        /// The share given.
        found: f64,
    },

    /// Images of different sizes that nothing brings to one.
    #[error("expected a fit that brings images of different sizes to one, found {found}")]
    Sizes {
        /// The fit.
        found: String,
    },

    /// A batch, or a part of a data set, of which every image was left out.
    #[error("expected an intact image among {count}, found none")]
    NothingLeft {
        /// Number of images in the batch or the part.
        count: usize,
    },

    /// A batch size of zero.
    #[error("expected a batch size of at least 1, found 0")]
    BatchSize,

    /// A sheet of no columns.
    #[error("expected a sheet of at least 1 column, found 0")]
    Columns,

    /// A sheet with too many pixels.
    #[error("a sheet of {}×{} pixels is too large, expected at most {most}: fewer or smaller images", size[0], size[1])]
    SheetSize {
        /// Height and width in pixels.
        size: [usize; 2],
        /// The most pixels of a sheet.
        most: usize,
    },

    /// An image that is not as large as a cell of a sheet.
    #[error("image {index} is of {}×{} pixels, but a cell of the sheet of {}×{}: bring the images to one size first",
        size[0], size[1], cell[0], cell[1])]
    SheetImage {
        /// Which image of the set.
        index: usize,
        /// Its height and width in pixels.
        size: [usize; 2],
        /// Height and width of a cell in pixels.
        cell: [usize; 2],
    },

    /// A sheet whose bytes are not those of its pixels.
    #[error("a sheet of {}×{} pixels of {channels} channels has {found} bytes, expected one for each channel of a pixel",
        size[0], size[1])]
    SheetBytes {
        /// Height and width in pixels.
        size: [usize; 2],
        /// Bytes per pixel.
        channels: usize,
        /// Bytes there are.
        found: usize,
    },

    /// A sheet that cannot be written as a picture.
    #[error("a sheet of {}×{} pixels of {channels} channels cannot be a PNG: {problem}", size[0], size[1])]
    Sheet {
        /// Height and width in pixels.
        size: [usize; 2],
        /// Bytes per pixel.
        channels: usize,
        /// What is wrong.
        problem: String,
    },

    /// More memory than there is.
    #[error("{what}: {shortage}; {way_out}")]
    Memory {
        /// What was to be made.
        what: String,
        /// What it needs and what there is.
        shortage: memory::Shortage,
        /// What makes it smaller.
        way_out: &'static str,
    },

    /// An image whose channels are not those of its set.
    #[error("image {index} is {found:?} (channels, height, width), expected {channels} channels as its source says")]
    Channels {
        /// Which image of the source.
        index: usize,
        /// The channels of the source.
        channels: usize,
        /// Channels, height and width of the image.
        found: [usize; 3],
    },

    /// An error of a source or a transform that is not of this crate.
    #[error("{source}")]
    Own {
        /// What it says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// No image to compute with.
    #[error("expected at least 1 image to compute the mean and the deviation of, found 0")]
    NoImages,
}

impl Error {
    /// An error of a source or a transform of one's own.
    pub fn own(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Own { source: source.into() }
    }
}

fn closest(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!(" (the closest is {name:?})")).unwrap_or_default()
}
