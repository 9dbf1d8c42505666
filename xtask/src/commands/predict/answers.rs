//! Answers as text, CSV or JSON, each printed when it is there.

use anyhow::Result;
use cnn_classifier::Answer;
use cnn_figures::{count, path, plural, printable};
use serde::Serialize;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// What is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Text,
    Csv,
    Json,
}

/// The classes of a picture as JSON: numbers of 32 bits are written as short as they can be told apart.
#[derive(Serialize)]
struct Classes<'a> {
    answers: Vec<Class<'a>>,
    image: &'a str,
}

#[derive(Serialize)]
struct Class<'a> {
    class: &'a str,
    index: usize,
    probability: f32,
}

/// Prints one answer after the other.
pub struct Answers {
    form: Form,
    count: usize,
    failed: usize,
}

type Answered<'a> = &'a cnn_classifier::Result<Vec<Answer>>;

impl Answers {
    pub fn begin(form: Form) -> Result<Self> {
        match form {
            Form::Text => {}
            Form::Csv => line(["image", "rank", "class", "index", "probability", "error"])?,
            Form::Json => print!("["),
        }
        Ok(Self { form, count: 0, failed: 0 })
    }

    /// Prints what came of a picture.
    pub fn add(&mut self, image: &Path, answer: Answered<'_>) -> Result<()> {
        match self.form {
            Form::Text => self.text(image, answer),
            Form::Csv => csv(image, answer)?,
            Form::Json => self.json(image, answer)?,
        }
        self.count += 1;
        self.failed += usize::from(answer.is_err());
        Ok(())
    }

    /// Prints the end; the code is not zero where a picture had no answer.
    pub fn end(self) -> Result<ExitCode> {
        if self.form == Form::Json {
            println!("{}]", if self.count > 0 { "\n" } else { "" });
        }
        if self.failed == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        eprintln!("no answer for {} of {}", count(self.failed), plural(self.count, "picture", "pictures"));
        Ok(ExitCode::FAILURE)
    }

    fn text(&self, image: &Path, answer: Answered<'_>) {
        match answer {
            Err(problem) => eprintln!("error: {}", printable(&problem.to_string())),
            Ok(answers) => {
                println!("{}{}", if self.count > 0 { "\n" } else { "" }, path(image));
                for answer in answers {
                    println!("  {:6.2} %  {}", 100.0 * answer.probability, printable(&answer.class));
                }
            }
        }
    }

    fn json(&self, image: &Path, answer: Answered<'_>) -> Result<()> {
        let image = image.to_string_lossy();
        let object = match answer {
            Err(problem) => json!({ "image": image, "error": problem.to_string() }).to_string(),
            Ok(answers) => {
                let answers = answers.iter().map(|Answer { index, class, probability }| Class {
                    class,
                    index: *index,
                    probability: *probability,
                });
                serde_json::to_string(&Classes { answers: answers.collect(), image: &image })?
            }
        };
        print!("{}\n  {object}", if self.count > 0 { "," } else { "" });
        Ok(())
    }
}

fn csv(image: &Path, answer: Answered<'_>) -> Result<()> {
    let image = image.to_string_lossy();
    match answer {
        Err(problem) => line([&*image, "", "", "", "", &problem.to_string()]),
        Ok(answers) => answers.iter().enumerate().try_for_each(|(rank, answer)| {
            let [rank, index] = [rank + 1, answer.index].map(|number| number.to_string());
            line([&*image, &rank, &answer.class, &index, &answer.probability.to_string(), ""])
        }),
    }
}

fn line<const N: usize>(fields: [&str; N]) -> Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields)?;
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    print!("{}", String::from_utf8_lossy(&bytes));
    Ok(())
}
