//! Composing in a tab: does what the core asks for, and says how far it has come.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use gloo::timers::future::TimeoutFuture;
use js_sys::Promise;
use sysext::rpm::Package;
use sysext::{Compose, Recipe, Report, Step};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;
use yew::Callback;

use super::PROGRESS_EVERY;
use super::digests::Digests;
use super::image::Image;
use super::plan::{self, Here};
use super::pool::{Begun, Pool};
use super::source::{Ahead, Source};
use crate::agent::Answer;
use crate::protocol::Response;

/// Bytes that a step may read, if they are stored in the package as they are: a batch of jobs, whose last is a whole one.
const AHEAD: usize = 24 << 20;

/// Makes the extension of these packages, on a base if there is one.
pub(crate) async fn run(
    recipe: &Recipe,
    base: Option<&File>,
    files: &[File],
    answer: &Callback<Answer>,
) -> Result<(Response, File), String> {
    let start = js_sys::Date::now();
    let mut packages = Vec::new();
    for file in files {
        let package =
            Package::read(Source::open(file).await?).map_err(|error| error.to_string())?;
        packages.push(Here { package, file: file.clone() });
    }
    let base = match base {
        Some(file) => Some(plan::base(file).await?),
        None => None,
    };
    let (plan, sources) = plan::plan(&packages, recipe, base.as_ref(), &RefCell::default()).await?;
    drop(base);
    let digests = Digests::new(files.iter().map(|file| file.size()).sum()).await;
    let compose = Compose::new(plan).map_err(|error| error.to_string())?;
    let compose = match &digests {
        Some(digests) => compose.with_digests(Rc::new(digests.clone())),
        None => compose,
    };
    let mut image = Image::new().await;
    let in_memory = image.is_in_memory();
    let mut pool = Pool::default();
    match drive(compose, &sources, &mut image, &mut pool, digests.as_ref(), answer).await {
        Ok(report) => {
            let file = image.finish(&report.file_name).await?;
            let seconds = (js_sys::Date::now() - start) / 1000.0;
            Ok((
                Response::Composed {
                    report: Box::new(report),
                    seconds,
                    workers: pool.workers(),
                    in_memory,
                },
                file,
            ))
        }
        Err(error) => {
            image.discard();
            Err(error)
        }
    }
}

async fn drive(
    mut compose: Compose<Source>,
    sources: &[File],
    image: &mut Image,
    pool: &mut Pool,
    digests: Option<&Digests>,
    answer: &Callback<Answer>,
) -> Result<Report, String> {
    let text = |error: sysext::Error| error.to_string();
    let in_worker = super::is_worker();
    let mut said = 0.0;
    let mut away = VecDeque::<Begun>::new();
    let mut ahead: Option<Ahead> = None;
    loop {
        let now = js_sys::Date::now();
        if now - said >= PROGRESS_EVERY {
            said = now;
            answer.emit((Response::Progress(compose.progress()), None));
            if !in_worker {
                // The page has to live on.
                TimeoutFuture::new(0).await;
            }
        }
        if let Some(ahead) = &mut ahead {
            ahead.fill(AHEAD).await?;
        }
        // Digests that are there are seen only by those who wait now and then.
        let _ = JsFuture::from(Promise::resolve(&JsValue::UNDEFINED)).await;
        match compose.step().map_err(text)? {
            Step::Package(index) => {
                let file =
                    sources.get(index).ok_or("the plan names a package that was not given")?;
                let source = Source::open(file).await?;
                ahead = source.ahead();
                compose.package(source).map_err(text)?;
            }
            Step::Compress(jobs) => {
                away.push_back(pool.begin(jobs).await?);
                while let Some(begun) = away.pop_front_if(|begun| begun.is_done()) {
                    compose.compressed(begun.wait().await?).map_err(text)?;
                }
            }
            Step::Wait => {
                let begun = away.pop_front().ok_or("nothing is being compressed")?;
                compose.compressed(begun.wait().await?).map_err(text)?;
            }
            Step::Write(write) => image.write(write.at, &write.bytes)?,
            Step::Read { at, length } => compose.image(&image.read(at, length)?).map_err(text)?,
            Step::Digest(ticket) => {
                let digests = digests.ok_or("the core asks for a digest that it did not begin")?;
                compose.digest(&digests.take(ticket).await?).map_err(text)?;
            }
            Step::Done(report) => return Ok(report),
        }
    }
}
