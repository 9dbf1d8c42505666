use super::*;
use cnn_data::Interpolation;

fn repository() -> Repository {
    "somebody/birds".parse().unwrap()
}

fn published(text: &str) -> Result<Published> {
    Config::read(text.as_bytes(), Path::new("config.json"))?.published(&repository())
}

fn problem(text: &str) -> String {
    published(text).unwrap_err().to_string()
}

const BIRDS: &str = r#"{
    "architecture": "resnet18", "num_classes": 3, "num_features": 512, "global_pool": "avg",
    "label_names": ["n1", "n2", "n3"], "label_descriptions": {"n1": "robin", "n3": "wren"},
    "pretrained_cfg": {
        "tag": "a1_in1k", "custom_load": false, "input_size": [3, 224, 224], "test_input_size": [3, 288, 288],
        "fixed_input_size": false, "interpolation": "bicubic", "crop_pct": 0.95, "test_crop_pct": 1.0,
        "crop_mode": "center", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "num_classes": 1000,
        "pool_size": [7, 7], "first_conv": "conv1", "classifier": "fc", "license": "mit",
        "origin_url": "https://example.org/birds"
    }
}"#;

#[test]
fn everything_comes_from_the_file() {
    let birds = published(BIRDS).unwrap();
    assert_eq!((birds.name.as_str(), birds.network.as_str()), ("hf:somebody/birds", "resnet18"));
    assert_eq!((birds.publisher.as_str(), birds.dataset.as_str()), ("somebody", "somebody/birds"));
    assert_eq!(birds.input, [3, 288, 288]);
    let fit = Fit::Crop { short: 288, height: 288, width: 288, interpolation: Interpolation::Bicubic };
    assert_eq!(birds.preparation, Preparation::imagenet().fitted(fit));
    assert_eq!(birds.classes.names(), ["robin", "n2", "wren"]);
    assert_eq!(birds.licence.as_deref(), Some("mit"));
    assert_eq!(birds.source, "https://example.org/birds");
    assert_eq!(birds.origin, Origin::Hub { repository: repository(), file: "model.safetensors".to_string() });
}

#[test]
fn older_files_have_no_inner_object() {
    let text = r#"{"architecture": "vgg16", "num_classes": 1000, "input_size": [3, 224, 224], "interpolation": "bilinear",
        "crop_pct": 0.875, "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "tag": "tv_in1k"}"#;
    let old = published(text).unwrap();
    let fit = Fit::Crop { short: 256, height: 224, width: 224, interpolation: Interpolation::Bilinear };
    assert_eq!(old.preparation, Preparation { fit, mean: vec![0.5; 3], std: vec![0.25; 3] });
    assert_eq!((old.classes, old.dataset.as_str()), (Classes::ImageNet, "imagenet"));
}

#[test]
fn a_thousand_classes_are_imagenets_only_where_somebody_says_so() {
    let text = BIRDS.replace(r#""num_classes": 3,"#, r#""num_classes": 1000,"#);
    let labels = r#""label_names": ["n1", "n2", "n3"], "#;
    let unnamed = text.replace(labels, "");
    assert_eq!(published(&unnamed).unwrap().classes, Classes::ImageNet);
    let other = published(&unnamed.replace("a1_in1k", "plants")).unwrap();
    assert_eq!((other.classes.count(), other.classes.names()[17].as_str()), (1000, "17"));
    assert_eq!(other.dataset, "somebody/birds");
    let synsets: Vec<&str> = imagenet::synsets().collect();
    let named = text.replace(labels, &format!(r#""label_names": {}, "#, serde_json::to_string(&synsets).unwrap()));
    assert_eq!(published(&named.replace("a1_in1k", "plants")).unwrap().classes, Classes::ImageNet);
}

#[test]
fn class_names_may_be_numbered() {
    let numbered = BIRDS.replace(r#"["n1", "n2", "n3"]"#, r#"{"2": "n3", "0": "n1", "1": "b"}"#);
    assert_eq!(published(&numbered).unwrap().classes.names(), ["robin", "b", "wren"]);
    for wrong in [r#"{"0": "a", "1": "b"}"#, r#"{"0": "a", "1": "b", "3": "c"}"#, r#"["a", "b", 7]"#, r#""abc""#] {
        assert!(problem(&BIRDS.replace(r#"["n1", "n2", "n3"]"#, wrong)).contains("expected label_names of 3 classes"));
    }
}

#[test]
fn what_makes_another_network_is_refused() {
    let message = problem(&BIRDS.replace("resnet18", "resnet81"));
    assert_eq!(
        message,
        "somebody/birds has weights of resnet81, which is no network here; did you mean resnet18, resnet101, resnet152?"
    );
    assert!(
        problem(&BIRDS.replace("resnet18", "vit_base_patch16_224"))
            .starts_with("somebody/birds has weights of vit_base_patch16_224, which is no network here")
    );
    let message = problem(&BIRDS.replacen('{', r#"{"model_args": {"output_stride": 16}, "#, 1));
    assert_eq!(message, "config.json: expected the architecture as it is, found it with output_stride = 16");
    assert!(problem(&BIRDS.replace(r#""avg""#, r#""max""#)).contains("the global_pool avg"));
}

#[test]
fn what_cannot_be_is_one_sentence() {
    let cases = [
        (r#""architecture": "resnet18""#, r#""architectur": "resnet18""#, "expected an architecture"),
        (r#""num_classes": 3"#, r#""num_classes": 0"#, "a num_classes of 1 to 100000"),
        (r#""num_classes": 3"#, r#""num_classes": 99999999999"#, "a num_classes of 1 to 100000"),
        (r#""num_classes": 3"#, r#""num_classes": -3"#, "timm's form"),
        ("[3, 288, 288]", "[3, 0, 288]", "an input_size of"),
        ("[3, 288, 288]", "[3, 288, 99999]", "an input_size of"),
        ("[3, 288, 288]", "[3, 288]", "timm's form"),
        ("[3, 288, 288]", "[18446744073709551615, 288, 288]", "an input_size of"),
        (r#""test_crop_pct": 1.0"#, r#""test_crop_pct": 1e-300"#, "a shorter side of 1 to 8192 pixels"),
        (r#""test_crop_pct": 1.0"#, r#""test_crop_pct": -1"#, "a share to crop above 0"),
        ("[0.229, 0.224, 0.225]", "[0.229, 0.224]", "3 means and 2 deviations"),
        ("[0.229, 0.224, 0.225]", "[0, 0, 0]", "finite deviations above 0"),
        ("[0.229, 0.224, 0.225]", "[1e999, 1, 1]", "timm's form"),
        (r#""bicubic""#, r#""magic""#, "magic"),
        (r#""center""#, r#""centre""#, "no crop mode is named"),
        (r#""mean": [0.485, 0.456, 0.406], "#, "", "expected a mean, found none"),
    ];
    for (from, to, expected) in cases {
        let message = problem(&BIRDS.replace(from, to));
        assert!(message.starts_with("config.json: ") && message.contains(expected), "{to}: {message}");
        assert!(!message.contains('\n'), "{message}");
    }
    let deep = format!("{}{}", r#"{"architecture":"#, "[".repeat(1 << 20));
    for text in ["", "null", "[]", "{", "{}", "\u{feff}{}", "7", &deep, &"{\"a\":".repeat(1 << 18)] {
        assert!(published(text).is_err());
    }
    assert!(Config::read(&[0xff, 0xfe, 0x00], Path::new("config.json")).is_err());
}
