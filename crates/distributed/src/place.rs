//! Which rank a process is, as the variables of its launcher say.

use crate::error::{Error, Result};
use std::fmt;

/// What starts ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Launcher {
    /// OpenMPI's `mpirun`.
    OpenMpi,
    /// `mpirun` of MPICH and its relatives.
    Mpich,
    /// torch's `torchrun`.
    Torchrun,
    /// SLURM's `srun`.
    Slurm,
}

impl Launcher {
    const ALL: [Self; 4] = [Self::OpenMpi, Self::Mpich, Self::Torchrun, Self::Slurm];

    /// Its command.
    pub const fn command(self) -> &'static str {
        match self {
            Self::OpenMpi | Self::Mpich => "mpirun",
            Self::Torchrun => "torchrun",
            Self::Slurm => "srun",
        }
    }

    /// The variables of the rank, the world, and the rank on its machine. SLURM sets `SLURM_NTASKS` for a batch script
    /// too, which is one process; only a step has the last of its names.
    const fn variables(self) -> [&'static str; 3] {
        match self {
            Self::OpenMpi => ["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"],
            Self::Mpich => ["PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"],
            Self::Torchrun => ["RANK", "WORLD_SIZE", "LOCAL_RANK"],
            Self::Slurm => ["SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"],
        }
    }
}

/// A rank's place among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Counted from 0.
    pub rank: usize,
    /// How many ranks there are.
    pub world: usize,
    /// The rank among those of this machine: which of its GPUs to use.
    pub local: usize,
    /// What started it.
    pub launcher: Launcher,
}

impl Place {
    /// As the environment says: the first of `mpirun`, `torchrun` and `srun` that has left its variables.
    ///
    /// # Errors
    ///
    /// Variables that are no numbers, a rank beyond the world, one variable without the other.
    pub fn from_environment() -> Result<Option<Self>> {
        Self::from_variables(&|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    fn from_variables(variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>> {
        for launcher in Launcher::ALL {
            let [rank, world, local] = launcher.variables();
            let number = |name: &'static str| variable(name).map(|value| parsed(name, value)).transpose();
            let world_name = world;
            let (rank, world) = match (number(rank)?, number(world)?) {
                (Some(rank), Some(world)) => (rank, world),
                // srun's rank alone is that of a batch script.
                (None, None) => continue,
                (Some(_), None) if launcher == Launcher::Slurm => continue,
                (Some(value), None) => return Err(alone(rank, value, world)),
                (None, Some(value)) => return Err(alone(world, value, rank)),
            };
            if rank >= world {
                let problem = format!("rank {rank} is beyond it");
                return Err(Error::Variable { variable: world_name, value: world.to_string(), problem });
            }
            return Ok(Some(Self { rank, world, local: number(local)?.unwrap_or(rank), launcher }));
        }
        Ok(None)
    }
}

fn parsed(variable: &'static str, value: String) -> Result<usize> {
    let problem = || "must be a whole number".to_string();
    value.trim().parse().map_err(|_| Error::Variable { variable, value: value.clone(), problem: problem() })
}

fn alone(variable: &'static str, value: usize, other: &str) -> Error {
    Error::Variable { variable, value: value.to_string(), problem: format!("{other} is not set beside it") }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rank {} of {}, as {} says", self.rank, self.world, self.launcher.variables()[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(variables: &[(&str, &str)]) -> Result<Option<Place>> {
        Place::from_variables(&|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_string())
        })
    }

    #[test]
    fn the_first_launcher_that_left_its_variables_counts() {
        let torchrun = [("RANK", "1"), ("WORLD_SIZE", "4"), ("LOCAL_RANK", "0"), ("SLURM_PROCID", "3")];
        let found = place(&torchrun).unwrap().unwrap();
        assert_eq!(found, Place { rank: 1, world: 4, local: 0, launcher: Launcher::Torchrun });
        assert_eq!(found.to_string(), "rank 1 of 4, as RANK says");
        let both = [("RANK", "1"), ("WORLD_SIZE", "4"), ("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "2")];
        assert_eq!(place(&both).unwrap().unwrap().launcher, Launcher::OpenMpi);
        assert_eq!(place(&[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "8")]), Ok(None));
        assert_eq!(place(&[]), Ok(None));
    }

    #[test]
    fn variables_that_cannot_be_are_refused() {
        let text = |variables: &[(&str, &str)]| place(variables).unwrap_err().to_string();
        assert_eq!(text(&[("RANK", "one"), ("WORLD_SIZE", "2")]), "RANK=one: must be a whole number");
        assert_eq!(text(&[("RANK", "2"), ("WORLD_SIZE", "2")]), "WORLD_SIZE=2: rank 2 is beyond it");
        assert_eq!(text(&[("WORLD_SIZE", "2")]), "WORLD_SIZE=2: RANK is not set beside it");
    }
}
