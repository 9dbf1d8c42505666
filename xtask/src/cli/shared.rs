//! Arguments that several commands share, as each takes them.

use clap::{Arg, Command};

/// Commands that draw something by --seed.
const DRAW: [&str; 8] = ["train", "sweep", "eval", "calibrate", "explain", "augment", "bench", "race"];
/// Commands that compute on the device that is named.
const ON_DEVICES: [&str; 6] = ["train", "sweep", "eval", "report", "bench", "forward"];
/// Commands that compute on the CPU, whatever devices there are.
const ON_CPU: [&str; 8] = ["augment", "calibrate", "explain", "features", "predict", "race", "serve", "verify-parity"];
/// Commands that judge images as they lie: no share of them is drawn.
const JUDGE: [&str; 3] = ["eval", "calibrate", "explain"];

/// What --dataset and --test-share are where they are not given.
const DEFAULTS: [(&str, &str, &str); 8] = [
    ("train", "dataset", "the recipe's, else digits"),
    ("sweep", "dataset", "the recipe's, else digits"),
    ("augment", "dataset", "digits"),
    ("eval", "dataset", "that of the weights, else digits"),
    ("calibrate", "dataset", "that of the weights, else digits"),
    ("train", "test_share", "the recipe's, else 0.2"),
    ("sweep", "test_share", "the recipe's, else 0.2"),
    ("augment", "test_share", "0.2"),
];

/// What a command computes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Computes {
    OnDevices,
    OnCpu,
    Nothing,
}

/// What the command of a name computes on.
pub fn computes(command: &str) -> Computes {
    match command {
        command if ON_DEVICES.contains(&command) => Computes::OnDevices,
        command if ON_CPU.contains(&command) => Computes::OnCpu,
        _ => Computes::Nothing,
    }
}

/// Whether the command of a name draws anything by --seed.
pub fn draws(command: &str) -> bool {
    DRAW.contains(&command)
}

/// The commands with the defaults that each has, and without help on what each refuses.
pub fn as_taken(command: Command) -> Command {
    let common: Vec<Arg> =
        command.get_arguments().filter(|arg| ["seed", "device"].contains(&arg.get_id().as_str())).cloned().collect();
    command.mut_subcommands(|mut command| {
        let name = command.get_name().to_string();
        let refused = |arg: &&Arg| match arg.get_id().as_str() {
            "seed" => !draws(&name),
            _ => computes(&name) != Computes::OnDevices,
        };
        // An argument of a command's own goes before the one that all have.
        command = command.args(common.iter().filter(refused).map(|arg| arg.clone().hide(true)));
        if JUDGE.contains(&&*name) {
            command = command.mut_arg("test_share", |arg| arg.hide(true));
        }
        for (_, id, default) in DEFAULTS.iter().filter(|(command, ..)| *command == name) {
            command = command.mut_arg(id, |arg| {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                arg.help(format!("{help} [default: {default}]"))
            });
        }
        command
    })
}

#[cfg(test)]
mod tests {
    use crate::cli::Cli;
    use clap::CommandFactory;

    /// The help of a command.
    fn help(command: &str) -> String {
        Cli::read(["xtask", command, "--help"]).err().map(|help| help.to_string()).unwrap_or_default()
    }

    #[test]
    fn help_tells_what_a_command_takes() {
        for (command, seed, device) in [
            ("train", true, true),
            ("eval", true, true),
            ("report", false, true),
            ("explain", true, false),
            ("list", false, false),
        ] {
            assert_eq!(help(command).contains("--seed <N>"), seed, "{command}");
            assert_eq!(help(command).contains("--device <DEVICE>"), device, "{command}");
        }
        let flowed = |command: &str| help(command).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flowed("train").contains("a folder of images [default: the recipe's, else digits]"));
        assert!(flowed("eval").contains("a folder of images [default: that of the weights, else digits]"));
        assert!(!flowed("explain").contains("a folder of images [default"));
        assert!(flowed("augment").contains("and the seed [default: 0.2]") && !help("eval").contains("--test-share"));
    }

    #[test]
    fn what_help_leaves_out_is_read() {
        let cli = Cli::read(["xtask", "list", "--seed", "5"]);
        assert!(cli.is_ok_and(|cli| cli.common.seed == Some(5) && cli.name == "list"));
        let cli = Cli::read(["xtask", "data", "check", "photos", "--seed", "6"]);
        assert!(cli.is_ok_and(|cli| cli.common.seed == Some(6) && cli.name == "data"));
    }

    /// A command that is renamed is renamed here.
    #[test]
    fn every_name_is_a_commands() {
        let command = Cli::command();
        let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        let listed = [&super::DRAW[..], &super::ON_DEVICES, &super::ON_CPU, &super::JUDGE].concat();
        assert!(listed.iter().all(|name| names.contains(name)));
        assert!(!super::ON_DEVICES.iter().any(|name| super::ON_CPU.contains(name)));
    }
}
