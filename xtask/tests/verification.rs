//! `verify-shapes`, `verify-parity` and `forward` as a user runs them: what they say, and their exit code.

use std::path::Path;
use std::process::{Command, Output};

type Failure = Box<dyn std::error::Error>;

fn xtask<const N: usize>(arguments: [&str; N]) -> Result<Output, Failure> {
    Ok(Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).output()?)
}

/// Runs `verify-shapes lenet` on a copy of its table in which `from` is `to`.
fn with_table_changed(from: &str, to: &str) -> Result<Output, Failure> {
    let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/reference"));
    let copy = tempfile::tempdir()?;
    std::fs::create_dir(copy.path().join("networks"))?;
    std::fs::copy(source.join("papers.json"), copy.path().join("papers.json"))?;
    let table = std::fs::read_to_string(source.join("networks/lenet.json"))?;
    assert!(table.contains(from));
    std::fs::write(copy.path().join("networks/lenet.json"), table.replacen(from, to, 1))?;
    xtask(["verify-shapes", "lenet", "--reference", &copy.path().to_string_lossy()])
}

#[test]
fn an_unchanged_table_is_met() -> Result<(), Failure> {
    let output = with_table_changed("lenet", "lenet")?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.contains("all equal") && printed.contains("1 of 1 networks"), "{printed}");
    Ok(())
}

#[test]
fn a_changed_table_is_one_line_and_exit_1() -> Result<(), Failure> {
    let changes = [
        (
            "\"conv1\":[6,28,28]",
            "\"conv1\":[6,14,14]",
            "lenet: node conv1 at 1×32×32: expected 6×14×14, found 6×28×28\n",
        ),
        ("\"fc1.bias\":[120]", "\"fc1.bias\":[121]", "lenet: tensor fc1.bias: expected 121, found 120\n"),
        ("\"fc2.bias\":[84]", "\"fc2.biases\":[84]", "lenet: tensor fc2.biases: expected 84, found none\n"),
    ];
    for (from, to, message) in changes {
        let output = with_table_changed(from, to)?;
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.starts_with(message), "{said}");
    }
    Ok(())
}

#[test]
fn forward_says_in_one_sentence_what_is_wrong() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let broken = folder.path().join("broken.safetensors");
    std::fs::write(&broken, [0; 20])?;
    let broken = broken.to_string_lossy();
    let forward = |network: &str, weights: &str| {
        xtask(["forward", network, "--weights", weights, "--input", &broken, "--output", "nowhere.safetensors"])
    };
    for (network, weights, expected) in [
        ("lenett", &*broken, "there is no network lenett; did you mean lenet"),
        ("lenet", "missing.safetensors", "cannot read missing.safetensors: No such file"),
        ("lenet", &*broken, "broken.safetensors"),
    ] {
        let output = forward(network, weights)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("error: ") && said.contains(expected), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    Ok(())
}

/// Every network is in one share, and a share that does not exist or holds nothing is no success.
#[test]
fn shares_of_parity_are_the_whole() -> Result<(), Failure> {
    let goldens = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/goldens/parity"));
    let folder = tempfile::tempdir()?;
    let names = ["lenet", "mnist_conv", "mnist_mlp"];
    for name in names {
        let file = format!("{name}.safetensors");
        std::fs::copy(goldens.join(&file), folder.path().join(&file))?;
    }
    let share = |share: &str| xtask(["verify-parity", "--share", share, "--goldens", &folder.path().to_string_lossy()]);
    let mut verified = Vec::new();
    for number in 1..=2 {
        let output = share(&format!("{number}/2"))?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && printed.starts_with(&format!("share {number}/2: ")), "{printed}");
        let lines = printed.lines().filter_map(|line| line.split(' ').next());
        verified.extend(lines.filter(|name| names.contains(name)).map(str::to_string));
    }
    verified.sort_unstable();
    assert_eq!(verified, names);
    for (number, code, message) in [
        ("4/4", 1, "share 4/4 is empty: there are 3 networks"),
        ("5/4", 2, "expected K/N"),
        ("half", 2, "expected K/N"),
    ] {
        let output = share(number)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(message), "{said}");
    }
    Ok(())
}
