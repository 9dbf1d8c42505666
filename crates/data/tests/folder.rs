//! Folders of images, written by the tests.

use cnn_data::{
    Augmentation, Batch, ClassNote, Damage, Dataset, Error, Fit, FolderConfig, Images, Loader, Picture, Preparation,
    folder, folder_images,
};
use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use std::fs;
use std::io::Cursor;
use std::path::Path;

/// How an error of a file ends.
const WAY_OUT: &str = "; --skip-damaged leaves such files out";

/// A file of one colour throughout, of a size of its own.
fn colour(path: &Path, [red, green, blue]: [u8; 3], [height, width]: [u32; 2]) {
    write(path, RgbImage::from_pixel(width, height, Rgb([red, green, blue])).into());
}

fn write(path: &Path, image: DynamicImage) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, encoded(image, ImageFormat::from_path(path).unwrap())).unwrap();
}

fn encoded(image: DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// `count` files of each class, of shades that tell them apart.
fn classes(root: &Path, names: &[&str], count: u8) {
    for (class, name) in names.iter().enumerate() {
        for number in 0..count {
            let size = [20 + u32::from(number), 30 - u32::from(number)];
            colour(&root.join(name).join(format!("{number:02}.png")), [100 * class as u8, number, 7], size);
        }
    }
}

fn load(path: &Path) -> Result<Dataset, Error> {
    folder(&FolderConfig::new(path))
}

fn fitted() -> Preparation {
    Preparation { fit: Fit::centre([14, 14]), mean: vec![0.0; 3], std: vec![1.0 / 255.0; 3] }
}

/// The first pixel of each image of a batch.
fn pixels(batch: &Batch) -> Vec<[f32; 3]> {
    let numbers = &batch.images;
    let plane = 14 * 14;
    numbers.chunks(3 * plane).map(|image| [image[0], image[plane], image[2 * plane]]).collect()
}

#[test]
fn the_folders_are_the_classes() {
    let root = tempfile::tempdir().unwrap();
    classes(&root.path().join("train"), &["cat", "ant", "Bee"], 3);
    classes(&root.path().join("val"), &["cat", "Bee"], 2);
    fs::write(root.path().join("train/ant/.hidden"), b"nothing").unwrap();
    let data = load(root.path()).unwrap();
    assert_eq!(data.classes(), ["Bee", "ant", "cat"]);
    assert_eq!(data.train().labels(), [0, 0, 0, 1, 1, 1, 2, 2, 2]);
    assert_eq!(data.test().labels(), [0, 0, 2, 2]);
    assert_eq!((data.train().shape(), data.train().have_one_size()), ([3, 20, 28], false));
    // Class by class, in the order of the files' names.
    let loader = Loader::new(data.train(), fitted(), 9).unwrap();
    let batch = loader.batch(&(0..9).collect::<Vec<_>>()).unwrap();
    let expected: Vec<[f32; 3]> =
        [200.0, 100.0, 0.0].into_iter().flat_map(|red| (0..3).map(move |number| [red, number as f32, 7.0])).collect();
    // A resized constant is that but for the rounding of its weights.
    let found: Vec<[f32; 3]> = pixels(&batch).into_iter().map(|pixel| pixel.map(|x| (x * 1e3).round() / 1e3)).collect();
    assert_eq!(found, expected);
    assert!(data.held_out().is_none());
    // Beside `val`, which chooses, `test` is held out.
    classes(&root.path().join("Test"), &["ant"], 1);
    let data = load(root.path()).unwrap();
    assert_eq!((data.test().labels(), data.held_out().unwrap().labels()), (&[0, 0, 2, 2][..], &[1][..]));
    let origins = data.origins().unwrap();
    assert!(origins.test.ends_with("/val") && origins.held_out.as_ref().unwrap().ends_with("/Test"), "{origins:?}");
    fs::remove_dir_all(root.path().join("val")).unwrap();
    let data = load(root.path()).unwrap();
    assert_eq!((data.test().labels(), data.held_out()), (&[1][..], None));
    fs::rename(root.path().join("train"), root.path().join("VAL")).unwrap();
    let error = load(root.path()).unwrap_err().to_string();
    assert!(error.ends_with(": found VAL but no folder train beside it: images to train on are missing"), "{error}");
}

#[test]
fn pictures_may_lie_deeper_in_their_class() {
    let root = tempfile::tempdir().unwrap();
    classes(&root.path().join("train"), &["a", "b"], 2);
    classes(&root.path().join("train/a"), &["monday", "tuesday"], 3);
    classes(&root.path().join("test"), &["a"], 1);
    let data = load(root.path()).unwrap();
    assert_eq!(
        (data.classes(), data.train().labels()),
        (&["a".to_string(), "b".to_string()][..], &[0, 0, 0, 0, 0, 0, 0, 0, 1, 1][..])
    );
    assert_eq!(data.train().file(2), Some(root.path().join("train/a/monday/00.png")));
}

#[test]
fn a_digest_tells_whether_files_changed_and_not_where_they_lie() {
    let root = tempfile::tempdir().unwrap();
    let [here, there] = ["here", "there"].map(|name| root.path().join(name));
    classes(&here, &["a", "b"], 20);
    let digest = |path: &Path| load(path).unwrap().digest();
    let before = digest(&here);
    fs::rename(&here, &there).unwrap();
    assert_eq!(digest(&there), before);
    let file = there.join("a/03.png");
    let whole = fs::read(&file).unwrap();
    // Another size under the same name; a file more; a file under another name.
    fs::write(&file, [&whole[..], &[0]].concat()).unwrap();
    assert_ne!(digest(&there), before);
    fs::write(&file, &whole).unwrap();
    assert_eq!(digest(&there), before);
    fs::write(there.join("a/more.png"), &whole).unwrap();
    assert_ne!(digest(&there), before);
    fs::rename(there.join("a/more.png"), there.join("a/03b.png")).unwrap();
    fs::remove_file(&file).unwrap();
    assert_ne!(digest(&there), before);
}

#[test]
fn whether_pictures_are_grey_and_how_large_most_are_is_known() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..6_u8 {
        let (side, name) = (
            if number == 0 { 90 } else { 40 },
            format!("train/a/{number}.{}", ["png", "jpg"][usize::from(number % 2)]),
        );
        write(&root.path().join(name), GrayImage::from_pixel(side, 30, Luma([number])).into());
    }
    write(&root.path().join("val/a/1.png"), GrayImage::from_pixel(40, 30, Luma([9])).into());
    let data = load(root.path()).unwrap();
    assert!(data.train().are_grey() && !data.train().have_one_size());
    assert_eq!(data.train().usual_size(), [30, 40]);
    // Where every photo has a size of its own, neither two thumbnails nor a strip are the usual size.
    let photos = tempfile::tempdir().unwrap();
    let sizes = (0..9_u32).map(|number| [300 + number, 400 + 2 * number]).chain([[64, 64], [64, 64], [5000, 40]]);
    for (number, [height, width]) in sizes.enumerate() {
        let picture = GrayImage::from_pixel(width, height, Luma([9]));
        write(&photos.path().join(format!("train/a/{number}.png")), picture.into());
    }
    write(&photos.path().join("val/a/1.png"), GrayImage::from_pixel(40, 30, Luma([9])).into());
    assert_eq!(load(photos.path()).unwrap().train().usual_size(), [303, 404]);
    colour(&root.path().join("val/a/2.png"), [1, 2, 3], [30, 40]);
    assert!(!load(root.path()).unwrap().train().are_grey());
}

#[test]
fn test_pictures_without_classes_are_left_out_and_told() {
    let root = tempfile::tempdir().unwrap();
    for split in ["train", "val"] {
        classes(&root.path().join(split), &["a", "b"], 9);
    }
    for number in 0..3 {
        colour(&root.path().join(format!("Test/{number}.png")), [1, 2, 3], [30, 40]);
    }
    let data = load(root.path()).unwrap();
    assert_eq!((data.train().len(), data.test().len(), data.held_out()), (18, 18, None));
    let test = root.path().join("Test");
    assert_eq!(data.origins().unwrap().unlabelled, Some(test.clone()));
    assert!(data.strays().is_empty());
    let found = cnn_data::check(root.path(), cnn_data::Reading::default(), |_, _| ()).unwrap();
    assert_eq!((found.files, found.notes), (36, vec![ClassNote::Unlabelled { split: test.clone() }]));
    // Weights from elsewhere are judged on what has classes.
    assert_eq!(folder_images(&FolderConfig::new(root.path())).unwrap().path, root.path().join("val"));
    // Without val, images to judge are drawn from those to train on, as without any test.
    fs::remove_dir_all(root.path().join("val")).unwrap();
    let data = load(root.path()).unwrap();
    assert!(data.train().len() + data.test().len() == 18 && data.origins().unwrap().drawn);
    // One folder in it, and its pictures are of a class: one that must be known.
    colour(&test.join("c/0.png"), [1, 2, 3], [30, 40]);
    assert!(matches!(load(root.path()), Err(Error::UnknownClass { .. })));
    // A folder of pictures to train on is never left out.
    fs::remove_dir_all(&test).unwrap();
    fs::rename(root.path().join("train/a"), root.path().join("a")).unwrap();
    fs::rename(root.path().join("train/b/00.png"), root.path().join("train/00.png")).unwrap();
    fs::remove_dir_all(root.path().join("train/b")).unwrap();
    assert!(matches!(load(root.path()), Err(Error::NoClass { .. })));
}

#[test]
fn without_test_images_a_share_is_drawn_by_the_names() {
    let root = tempfile::tempdir().unwrap();
    classes(root.path(), &["a", "b"], 19);
    let config = |seed, test_share| FolderConfig { seed, test_share, ..FolderConfig::new(root.path()) };
    let files = |images: &Images| (0..images.len()).map(|index| images.file(index).unwrap()).collect::<Vec<_>>();
    let data = folder(&config(3, 0.2)).unwrap();
    assert_eq!(data.train().len() + data.test().len(), 38);
    assert!((2..16).contains(&data.test().len()), "{}", data.test().len());
    assert_eq!(folder(&config(3, 0.2)).unwrap(), data);
    assert_ne!(folder(&config(4, 0.2)).unwrap(), data);
    // Another share moves images one way only.
    let more = folder(&config(3, 0.5)).unwrap();
    assert!(more.test().len() > data.test().len());
    let judged = files(more.test());
    assert!(files(data.test()).iter().all(|file| judged.contains(file)));
    // More files, and fewer: the others stay on their side.
    let before = files(data.test());
    classes(root.path(), &["c"], 15);
    fs::remove_file(&before[0]).unwrap();
    let after = files(folder(&config(3, 0.2)).unwrap().test());
    let of_before: Vec<_> = after.iter().filter(|file| !file.starts_with(root.path().join("c"))).collect();
    assert_eq!(of_before, before[1..].iter().collect::<Vec<_>>());
    for share in [0.0, 1.0, -0.1, f64::NAN] {
        assert!(matches!(folder(&config(3, share)), Err(Error::TestShare { .. })));
    }
}

#[test]
fn every_kind_of_image_becomes_red_green_and_blue() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join("a").join(name);
    write(&path("1.png"), GrayImage::from_pixel(16, 16, Luma([77])).into());
    write(&path("2.png"), RgbaImage::from_pixel(16, 16, Rgba([1, 2, 3, 40])).into());
    write(&path("3.jpg"), GrayImage::from_pixel(16, 16, Luma([99])).into());
    write(&path("4.jpg"), RgbImage::from_pixel(16, 16, Rgb([200, 100, 50])).into());
    for number in 5..10 {
        write(&path(&format!("{number}.png")), RgbImage::from_pixel(16, 16, Rgb([250, number, 0])).into());
    }
    let data = load(root.path()).unwrap();
    assert!(data.train().have_one_size() && data.test().shape() == [3, 16, 16]);
    let mut found: Vec<Vec<u8>> = Vec::new();
    for images in [data.train(), data.test()] {
        for index in 0..images.len() {
            let picture = images.picture(index).unwrap();
            found.push([0, 256, 512].map(|at| picture.pixels()[at]).to_vec());
        }
    }
    found.sort();
    let near = |found: &[u8], expected: [u8; 3]| found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 2);
    let expected = [[1, 2, 3], [77, 77, 77], [99, 99, 99], [200, 100, 50]];
    assert_eq!(found.len(), 9);
    assert!(found.iter().zip(expected).all(|(found, expected)| near(found, expected)), "{found:?}");
}

#[test]
fn files_are_augmented_alike_on_any_number_of_threads() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..12_u32 {
        let picture = RgbImage::from_fn(40 + number, 33, |x, y| Rgb([(5 * x) as u8, (7 * y) as u8, number as u8]));
        write(&root.path().join(format!("train/{}/{number}.jpg", number % 2)), picture.into());
    }
    let data = load(root.path()).unwrap();
    let augmentation: Augmentation = "random-resized-crop,flip,colour-jitter:0.4:0.4:0.4:0.1,erasing".parse().unwrap();
    let run = |threads, ahead| {
        let loader = Loader::new(data.train(), fitted(), 4).unwrap().augmented(augmentation.clone()).unwrap();
        let loader = loader.ahead(ahead);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let numbers = |batch: Batch| batch.images;
            loader.epoch(1, 2).map(|batch| numbers(batch.unwrap())).collect::<Vec<_>>()
        })
    };
    assert_eq!(run(1, 0)[0].len(), 4 * 3 * 14 * 14);
    assert_eq!(run(1, 0), run(5, 0));
    assert_eq!(run(1, 0), run(5, 3));
}

#[test]
fn what_is_no_image_is_named() {
    let root = tempfile::tempdir().unwrap();
    classes(root.path(), &["a", "b"], 4);
    let stray = root.path().join("a").join("notes.jpg");
    for (bytes, expected) in [
        (b"not an image".to_vec(), "expected JPEG, PNG, GIF, BMP, TIFF or WebP, found a file that is no image"),
        (b"qoif\0\0\0\x01\0\0\0\x01\x03\0".to_vec(), "expected JPEG, PNG, GIF, BMP, TIFF or WebP, found QOI"),
        (b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), "it is damaged: Unexpected End of File"),
        (vec![], "expected JPEG, PNG, GIF, BMP, TIFF or WebP, found nothing: it is empty"),
        (encoded(RgbImage::new(8, 8).into(), ImageFormat::Png)[..20].to_vec(), "it is damaged: "),
    ] {
        fs::write(&stray, bytes).unwrap();
        let error = load(root.path()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: {expected}", stray.display())), "{error}");
        assert!(error.ends_with(WAY_OUT) && !error.contains('\n'), "{error}");
        let config = FolderConfig { damage: Damage::Skip, ..FolderConfig::new(root.path()) };
        let data = folder(&config).unwrap();
        assert_eq!(data.train().len() + data.test().len(), 8);
    }
    fs::remove_file(&stray).unwrap();
    fs::create_dir(root.path().join("empty")).unwrap();
    let error = load(root.path()).unwrap_err().to_string();
    assert!(error.contains("empty: expected images of the class, found none: "), "{error}");
    let nothing = tempfile::tempdir().unwrap();
    assert!(matches!(load(nothing.path()), Err(Error::NoClass { .. })));
    assert!(matches!(load(&nothing.path().join("missing")), Err(Error::Read { .. })));
    classes(&nothing.path().join("train"), &["a"], 1);
    classes(&nothing.path().join("test"), &["b"], 1);
    let error = load(nothing.path()).unwrap_err().to_string();
    assert!(error.ends_with("b: expected a class of the training images [\"a\"], found \"b\": rename the folder to one of them, or move it away"), "{error}");
    // Two forms of one letter look alike.
    let forms = tempfile::tempdir().unwrap();
    classes(&forms.path().join("train"), &["gr\u{fc}n"], 2);
    classes(&forms.path().join("val"), &["gru\u{308}n"], 2);
    let error = load(forms.path()).unwrap_err().to_string();
    assert!(error.contains("[\"grün\"], found \"gru\\u{308}n\": rename"), "{error}");
}

/// A JPEG whose pixels end too early, whose thumbnail's end is no end of the image.
#[test]
fn a_truncated_jpeg_is_found_when_it_is_decoded_and_may_be_left_out() {
    let root = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        for number in 0..6_u32 {
            let picture = RgbImage::from_fn(48, 48, |x, y| Rgb([(x * y) as u8, (x * 5) as u8, (y * number) as u8]));
            write(&root.path().join("train").join(name).join(format!("{number}.jpg")), picture.into());
        }
    }
    classes(&root.path().join("test"), &["a", "b"], 1);
    let broken = root.path().join("train/a/3.jpg");
    let mut bytes = fs::read(&broken).unwrap();
    bytes.truncate(bytes.len() * 3 / 4);
    // An application segment that holds a marker of the end.
    let segment = [&[0xff, 0xe5, 0, 6][..], &[1, 2, 0xff, 0xd9]].concat();
    bytes.splice(2..2, segment);
    fs::write(&broken, &bytes).unwrap();

    let data = load(root.path()).unwrap();
    let loader = Loader::new(data.train(), fitted(), 4).unwrap();
    for ahead in [0, 2] {
        let errors: Vec<bool> = loader.clone().ahead(ahead).in_order().map(|batch| batch.is_err()).collect();
        assert_eq!(errors, [true, false, false]);
    }
    let error = loader.in_order().next().unwrap().unwrap_err().to_string();
    let problem = format!("it is damaged: the JPEG has no end within its {} bytes", bytes.len());
    let expected = format!("{}: {problem}; --skip-damaged leaves such files out", broken.display());
    assert_eq!(error, expected);

    let config = FolderConfig { damage: Damage::Skip, ..FolderConfig::new(root.path()) };
    let data = folder(&config).unwrap();
    for batch_size in [4, 1] {
        let loader = Loader::new(data.train(), fitted(), batch_size).unwrap();
        let seen: Vec<usize> = loader.in_order().flat_map(|batch| batch.unwrap().indices).collect();
        assert_eq!(seen, [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11], "{batch_size}");
    }
    let loader = Loader::new(data.train(), fitted(), 4).unwrap();
    let first = loader.in_order().next().unwrap().unwrap();
    assert_eq!((first.images.len(), first.shape, first.labels), (3 * 3 * 14 * 14, [3, 14, 14], vec![0; 3]));
    assert_eq!(data.train().damaged(), [broken]);
    // Looked through before, the damaged one is not among them.
    let seen = std::sync::atomic::AtomicUsize::new(0);
    let count = || seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 1000;
    let intact = folder(&config).unwrap().look_through(&count).unwrap().unwrap();
    assert_eq!((intact.train().len(), intact.test().len(), seen.into_inner()), (11, 2, 14));
    assert!(folder(&config).unwrap().look_through(&|| false).unwrap().is_none());
    let error = load(root.path()).unwrap().look_through(&|| true).unwrap_err().to_string();
    assert!(error.contains("a/3.jpg: it is damaged") && error.ends_with(WAY_OUT), "{error}");
}

/// Whether the damage shows in the heads of the files or in their pixels.
#[test]
fn a_class_that_is_damaged_whole_is_named() {
    let root = tempfile::tempdir().unwrap();
    classes(&root.path().join("train"), &["a", "b"], 3);
    classes(&root.path().join("test"), &["a", "b"], 1);
    let config = FolderConfig { damage: Damage::Skip, ..FolderConfig::new(root.path()) };
    for kept in [50, 10] {
        for number in 0..3 {
            let file = root.path().join(format!("train/a/{number:02}.png"));
            let mut bytes = fs::read(&file).unwrap();
            bytes.truncate(kept);
            fs::write(&file, bytes).unwrap();
        }
        let error = folder(&config).and_then(|dataset| dataset.look_through(&|| true)).unwrap_err();
        assert!(matches!(&error, Error::DamagedClass { class, images: 3 } if class == "a"), "{kept}: {error}");
    }
}

#[test]
fn no_damage_to_a_file_is_a_panic() {
    let root = tempfile::tempdir().unwrap();
    classes(&root.path().join("test"), &["a"], 1);
    let picture = || RgbImage::from_fn(24, 24, |x, y| Rgb([(x * y) as u8, (x * 9) as u8, (y * 7) as u8]));
    let mut refused = 0;
    for (name, format) in [("image.jpg", ImageFormat::Jpeg), ("image.png", ImageFormat::Png)] {
        let whole = encoded(picture().into(), format);
        let file = root.path().join("train/a").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let cuts = (1..whole.len()).step_by(29).map(|end| whole[..end].to_vec());
        let flips = (0..whole.len()).step_by(7).map(|place| {
            let mut bytes = whole.clone();
            bytes[place] ^= 0xff;
            bytes
        });
        for bytes in cuts.chain(flips) {
            fs::write(&file, bytes).unwrap();
            let outcome = load(root.path()).and_then(|data| data.train().picture(0).map(|_| ()));
            refused += usize::from(outcome.is_err());
        }
        fs::remove_file(&file).unwrap();
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn images_of_different_sizes_need_a_fit() {
    let root = tempfile::tempdir().unwrap();
    classes(&root.path().join("train"), &["a", "b"], 4);
    classes(&root.path().join("val"), &["a"], 1);
    let data = load(root.path()).unwrap();
    let error = Loader::new(data.train(), Preparation::imagenet(), 2).unwrap_err().to_string();
    assert_eq!(error, "expected a fit that brings images of different sizes to one, found pictures as they are");
    assert_eq!(Preparation::of(data.train()).unwrap(), Preparation::imagenet());
    let stretched = Preparation::imagenet().fitted(Fit::resize([5, 6]));
    assert_eq!(stretched.output(data.train()).unwrap(), [3, 5, 6]);
    assert_eq!(data.clone().limited(4, 1).train().labels(), [0, 0, 1, 1]);
}

/// A grey PNG of one colour: kilobytes, whatever its size.
fn plain_png(side: u32) -> Vec<u8> {
    encoded(GrayImage::new(side, side).into(), ImageFormat::Png)
}

#[test]
fn a_picture_of_too_many_pixels_is_refused_from_its_head() {
    let root = tempfile::tempdir().unwrap();
    classes(root.path(), &["a", "b"], 3);
    let large = root.path().join("a/large.png");
    fs::write(&large, plain_png(300)).unwrap();
    let config = FolderConfig { max_pixels: 89_999, ..FolderConfig::new(root.path()) };
    let error = folder(&config).unwrap_err().to_string();
    let expected = "expected at most 89999 pixels, found 300×300: max-pixels sets the bound";
    assert_eq!(error, format!("{}: {expected}{WAY_OUT}", large.display()));
    let skipped = folder(&FolderConfig { damage: Damage::Skip, ..config.clone() }).unwrap();
    assert_eq!(skipped.train().len() + skipped.test().len(), 6);
    let taken = folder(&FolderConfig { max_pixels: 90_000, ..config }).unwrap();
    assert_eq!(taken.train().len() + taken.test().len(), 7);
    // A head that promises a hundred times what the bound allows; its file has no pixel.
    let mut bytes = plain_png(8);
    bytes[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    let checksum = crc(&bytes[12..29]).to_be_bytes();
    bytes[29..33].copy_from_slice(&checksum);
    fs::write(&large, bytes).unwrap();
    let error = load(root.path()).unwrap_err().to_string();
    assert!(
        error.contains("expected at most 89478485 pixels, found 65536×65536: max-pixels sets the bound; "),
        "{error}"
    );
}

/// The checksum of a PNG's chunk.
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[test]
fn a_file_that_becomes_too_large_is_refused_when_it_is_decoded() {
    let root = tempfile::tempdir().unwrap();
    classes(root.path(), &["a", "b"], 3);
    let config = FolderConfig { max_pixels: 10_000, ..FolderConfig::new(root.path()) };
    let data = folder(&config).unwrap();
    for class in ["a", "b"] {
        for number in 0..3 {
            fs::write(root.path().join(class).join(format!("{number:02}.png")), plain_png(101)).unwrap();
        }
    }
    let error = data.train().picture(0).unwrap_err().to_string();
    assert!(error.contains("expected at most 10000 pixels, found 101×101: max-pixels sets the bound; "), "{error}");
}

#[cfg(unix)]
#[test]
fn a_member_that_is_no_file_is_refused_at_once() {
    let root = tempfile::tempdir().unwrap();
    classes(root.path(), &["a", "b"], 3);
    let stray = root.path().join("a/stray.jpg");
    let make: [(&str, &dyn Fn()); 5] = [
        ("a named pipe", &|| assert!(std::process::Command::new("mkfifo").arg(&stray).status().unwrap().success())),
        ("a socket", &|| drop(std::os::unix::net::UnixListener::bind(&stray).unwrap())),
        ("a device", &|| std::os::unix::fs::symlink("/dev/zero", &stray).unwrap()),
        ("a folder", &|| fs::create_dir(&stray).unwrap()),
        ("a folder", &|| std::os::unix::fs::symlink("/", &stray).unwrap()),
    ];
    for (kind, make) in make {
        make();
        let error = load(root.path()).unwrap_err().to_string();
        assert_eq!(error, format!("{}: expected a regular file, found {kind}{WAY_OUT}", stray.display()));
        let skipped = folder(&FolderConfig { damage: Damage::Skip, ..FolderConfig::new(root.path()) }).unwrap();
        assert_eq!(skipped.train().len() + skipped.test().len(), 6);
        fs::remove_file(&stray).or_else(|_| fs::remove_dir(&stray)).unwrap();
    }
    // A terabyte without a byte on the disk, that begins like a JPEG.
    fs::write(&stray, [0xff, 0xd8, 0xff, 0xe0]).unwrap();
    fs::File::options().write(true).open(&stray).unwrap().set_len(1 << 40).unwrap();
    let error = load(root.path()).unwrap_err().to_string();
    assert_eq!(error, format!("{}: expected at most 1.00 GB, found 1.10 TB{WAY_OUT}", stray.display()));
}

#[test]
fn a_profile_may_lie_before_the_size() {
    let root = tempfile::tempdir().unwrap();
    classes(root.path(), &["b"], 2);
    let mut bytes = encoded(RgbImage::from_pixel(30, 20, Rgb([9, 90, 200])).into(), ImageFormat::Jpeg);
    for _ in 0..5 {
        bytes.splice(2..2, [0xff, 0xe5, 0xff, 0xff].into_iter().chain(std::iter::repeat_n(7, 0xffff - 2)));
    }
    fs::create_dir(root.path().join("a")).unwrap();
    for name in ["1.jpg", "2.jpg"] {
        fs::write(root.path().join("a").join(name), &bytes).unwrap();
    }
    let data = load(root.path()).unwrap();
    assert_eq!(data.train().picture(0).unwrap().shape(), [3, 20, 30]);
}

#[test]
fn what_is_no_picture_is_passed_over_and_counted() {
    let root = tempfile::tempdir().unwrap();
    classes(&root.path().join("train"), &["a", "b"], 3);
    classes(&root.path().join("val"), &["a"], 2);
    let strays = ["labels.csv", "train/README.md", "train/a/Thumbs.db", "train/a/deep/labels.txt", "val/a/list.csv"];
    for stray in strays {
        let stray = root.path().join(stray);
        fs::create_dir_all(stray.parent().unwrap()).unwrap();
        fs::write(&stray, b"no picture").unwrap();
    }
    // A picture is one by what it begins with, whatever its name.
    fs::copy(root.path().join("train/b/00.png"), root.path().join("train/b/unnamed")).unwrap();
    let data = load(root.path()).unwrap();
    assert_eq!((data.train().len(), data.test().len()), (7, 2));
    let mut found: Vec<_> = data.strays().iter().map(|path| path.strip_prefix(root.path()).unwrap()).collect();
    found.sort_unstable();
    assert_eq!(found, strays.map(Path::new));
}

/// A JPEG of a camera that was held on its side: orientation 6 of its EXIF.
fn on_its_side(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = encoded(RgbImage::from_pixel(width, height, Rgb([9, 90, 200])).into(), ImageFormat::Jpeg);
    let exif = b"\xff\xe1\0\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    bytes.splice(2..2, exif.iter().copied());
    bytes
}

#[test]
fn pictures_are_turned_unless_that_is_not_wanted() {
    let root = tempfile::tempdir().unwrap();
    for name in ["a/1.jpg", "a/2.jpg"] {
        fs::create_dir_all(root.path().join("a")).unwrap();
        fs::write(root.path().join(name), on_its_side(30, 20)).unwrap();
    }
    let data = load(root.path()).unwrap();
    assert_eq!((data.train().shape(), data.train().picture(0).unwrap().shape()), ([3, 30, 20], [3, 30, 20]));
    let data = folder(&FolderConfig { upright: false, ..FolderConfig::new(root.path()) }).unwrap();
    assert_eq!((data.train().shape(), data.train().picture(0).unwrap().shape()), ([3, 20, 30], [3, 20, 30]));
    assert_eq!(Picture::open(root.path().join("a/1.jpg")).unwrap().shape(), [3, 30, 20]);
}

#[test]
fn a_fold_says_that_it_leaves_val_out() {
    let root = tempfile::tempdir().unwrap();
    classes(&root.path().join("train"), &["ant", "bee"], 12);
    classes(&root.path().join("val"), &["ant", "bee"], 2);
    fs::write(root.path().join("train/ant/notes.txt"), b"none").unwrap();
    let data = folder(&FolderConfig { fold: Some("2/3".parse().unwrap()), ..FolderConfig::new(root.path()) }).unwrap();
    assert_eq!(data.train().len() + data.test().len(), 24);
    assert_eq!(data.strays(), [root.path().join("train/ant/notes.txt")]);
    let said = &data.origins().unwrap().test;
    assert!(said.ends_with(&format!("; {} is left out", root.path().join("val").display())), "{said}");
}

#[test]
#[cfg(unix)]
fn a_class_whose_name_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let root = tempfile::tempdir().unwrap();
    classes(root.path(), &["ant", "bee"], 4);
    let place = root.path().join(std::ffi::OsStr::from_bytes(b"be\xe9"));
    // A file system may take UTF-8 alone.
    if fs::rename(root.path().join("bee"), &place).is_ok() {
        let error = load(root.path()).unwrap_err().to_string();
        assert!(error.ends_with("be\\xE9\": the name of a class's folder is to be UTF-8; give it another"), "{error}");
        assert!(
            matches!(folder_images(&FolderConfig::new(root.path())), Err(Error::ClassName { path }) if path == place)
        );
    }
}
