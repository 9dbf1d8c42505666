//! Where data sets by name come from.

use cnn_data::{Error, Name, Source, load};

#[test]
fn a_source_that_does_not_have_it_says_which_does() {
    let error = load(Name::Mnist, &Source::Embedded).unwrap_err().to_string();
    assert_eq!(error, "mnist cannot come from the program itself, expected a folder or the hub");
    assert!(matches!(load(Name::Digits, &Source::Hub), Err(Error::Source { .. })));
    #[cfg(not(feature = "hub"))]
    assert!(matches!(load(Name::Cifar10, &Source::Hub), Err(Error::HubFeature { .. })));
}
