//! `sysext-composer explain`: what an extension does, in words.

use anyhow::Result;

use crate::terminal::Terminal;
use crate::{Outcome, args, recipes};

pub(crate) fn run(args: &args::Explain, terminal: &Terminal) -> Result<Outcome> {
    let recipe = recipes::open(&args.name, &args.collection.extensions)?;
    let extension = recipe.valid()?;
    let answers = extension.explain(&recipe.name);
    if terminal.json {
        let answers: serde_json::Map<String, serde_json::Value> =
            answers.into_iter().map(|(title, said)| (title.to_owned(), said.into())).collect();
        let summary = &extension.summary;
        terminal.result(
            &serde_json::json!({ "name": recipe.name, "summary": summary, "explanation": answers }),
        );
        return Ok(Outcome::Done);
    }
    println!("{}: {}", recipe.name, extension.summary);
    for text in [&extension.description, &extension.homepage] {
        if !text.is_empty() {
            println!("{}", text.trim());
        }
    }
    for (title, sentences) in answers {
        println!("\n{title}");
        for sentence in sentences {
            println!("  - {sentence}");
        }
    }
    Ok(Outcome::Done)
}
