//! The worker's side: reads headers, plans, composes. Where the browser has no workers, the page does the same here,
//! piece by piece.

mod buffers;
mod choose;
mod compose;
mod digests;
mod fetch;
mod helper;
mod image;
mod look;
mod plan;
mod pool;
mod random_access;
mod source;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use js_sys::Array;
use sysext::rpm::{FileFlags, Package};
use sysext::{Base, Contents, Nevra, Recipe};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, File, MessageEvent};
use yew::Callback;

use crate::agent::{Answer, message};
use crate::protocol::{FileInfo, Key, PackageInfo, PlanInfo, Request, Response};
use choose::Chooser;
use source::Source;

/// Milliseconds between two words on progress: to draw one takes some ten of a core.
const PROGRESS_EVERY: f64 = 500.0;

/// Packages whose headers have been read, contents that plans have asked for, and what packages are chosen from.
#[derive(Default)]
struct Shelf {
    packages: RefCell<BTreeMap<Key, plan::Here>>,
    contents: RefCell<Contents>,
    /// The base of the last plan, by the name of its file, which says what it holds.
    base: RefCell<Option<(String, Rc<Base>)>>,
    chooser: Chooser,
}

impl Shelf {
    /// The base of a file, which is read once.
    async fn base(&self, file: &File) -> Result<Rc<Base>, String> {
        if let Some((name, base)) = &*self.base.borrow()
            && *name == file.name()
        {
            return Ok(Rc::clone(base));
        }
        let base = Rc::new(plan::base(file).await?);
        self.base.replace(Some((file.name(), Rc::clone(&base))));
        Ok(base)
    }
}

/// Whether this is the worker.
pub(crate) fn is_worker() -> bool {
    js_sys::global().is_instance_of::<DedicatedWorkerGlobalScope>()
}

/// Listens to the page.
pub(crate) fn run() {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    match scope.name().as_str() {
        pool::NAME => return pool::help(scope),
        digests::NAME => return digests::help(scope),
        _ => {}
    }
    let post = {
        let scope = scope.clone();
        Callback::from(move |(response, file): Answer| {
            let files = file.into_iter().map(JsValue::from);
            let _ = scope.post_message(&message(&response, files));
        })
    };
    let here = Rc::new(Here::new(post.clone()));
    let listener = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        if let Some(message) = event.data().dyn_ref::<Array>() {
            here.handle(message);
        }
    });
    scope.set_onmessage(Some(listener.as_ref().unchecked_ref()));
    listener.forget();
    post.emit((Response::Ready, None));
}

/// Handles requests in whatever thread it is.
pub(crate) struct Here {
    shelf: Rc<Shelf>,
    answer: Callback<Answer>,
}

impl Here {
    pub(crate) fn new(answer: Callback<Answer>) -> Self {
        Self { shelf: Rc::default(), answer }
    }

    /// Handles a message of the page.
    pub(crate) fn handle(&self, message: &Array) {
        let request = message.get(0).as_string().and_then(|json| serde_json::from_str(&json).ok());
        let files =
            message.iter().skip(1).filter_map(|file| file.dyn_into::<File>().ok()).collect();
        let Some(request) = request else { return };
        let (shelf, answer) = (Rc::clone(&self.shelf), self.answer.clone());
        wasm_bindgen_futures::spawn_local(async move {
            respond(request, files, &shelf, &answer).await;
        });
    }
}

async fn respond(request: Request, files: Vec<File>, shelf: &Shelf, answer: &Callback<Answer>) {
    let response = match request {
        Request::Look | Request::Verify | Request::Extract { .. } => {
            answer.emit(look::respond(&request, files.first(), answer).await);
            return;
        }
        Request::Choose(choosing) => return shelf.chooser.respond(choosing, answer).await,
        Request::Bring(packages) => Response::AllBrought(choose::bring(packages, answer).await),
        Request::Forget { key } => {
            shelf.packages.borrow_mut().remove(&key);
            return;
        }
        Request::Read { key } => {
            let package = match files.first() {
                Some(file) => read(key, file, shelf).await,
                None => Err("the page sent no file".to_owned()),
            };
            Response::Read { key, package }
        }
        Request::Plan { serial, keys, recipe } => {
            Response::Planned { serial, plan: plan(&keys, &recipe, files.first(), shelf).await }
        }
        Request::Compose { recipe, on_base } => {
            let (base, packages) = files.split_at(usize::from(on_base).min(files.len()));
            match compose::run(&recipe, base.first(), packages, answer).await {
                Ok((done, file)) => answer.emit((done, Some(file))),
                Err(error) => answer.emit((Response::Failed(error), None)),
            }
            return;
        }
    };
    answer.emit((response, None));
}

async fn read(key: Key, file: &File, shelf: &Shelf) -> Result<PackageInfo, String> {
    let package = Package::read(Source::open(file).await?).map_err(|error| error.to_string())?;
    if package.is_source {
        return Err(
            "this is a source package: choose the package that was built from it".to_owned()
        );
    }
    let info = info(&package);
    shelf.packages.borrow_mut().insert(key, plan::Here { package, file: file.clone() });
    Ok(info)
}

fn info(package: &Package) -> PackageInfo {
    let files = package.files.iter().filter(|file| !file.flags.contains(FileFlags::GHOST));
    let files: Vec<FileInfo> = files
        .map(|file| FileInfo {
            path: sysext::PathBytes(file.path.to_vec()),
            size: if file.is_file() { file.size } else { 0 },
            is_folder: file.is_directory(),
        })
        .collect();
    PackageInfo {
        name: package.name.clone(),
        // As repositories write it: without an epoch of 0.
        nevra: Nevra::parse(&package.nevra())
            .map_or_else(|| package.nevra(), |nevra| nevra.text().to_owned()),
        evr: package.evr(),
        arch: package.arch.clone(),
        summary: package.summary.clone(),
        installed: files.iter().map(|file| file.size).fold(0, u64::saturating_add),
        files,
    }
}

async fn plan(
    keys: &[Key],
    recipe: &Recipe,
    base: Option<&File>,
    shelf: &Shelf,
) -> Result<PlanInfo, String> {
    let base = match base {
        Some(file) => Some(shelf.base(file).await?),
        None => None,
    };
    let chosen: Vec<plan::Here> = {
        let known = shelf.packages.borrow();
        keys.iter().filter_map(|key| known.get(key).cloned()).collect()
    };
    let (plan, _) = plan::plan(&chosen, recipe, base.as_deref(), &shelf.contents).await?;
    Ok(PlanInfo {
        findings: plan.findings().to_vec(),
        files: plan.files(),
        content_size: plan.content_size(),
    })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use gloo::timers::future::TimeoutFuture;
    use js_sys::{Array, Uint8Array};
    use sysext::rpm::{Compression, NewFile, NewPackage};
    use sysext::{Arch, Recipe, Target};
    use wasm_bindgen::JsValue;
    use wasm_bindgen_test::wasm_bindgen_test;
    use web_sys::File;

    use super::*;

    fn file(package: &NewPackage) -> File {
        let bytes = Uint8Array::from(package.write(&Compression::Gzip).as_slice());
        File::new_with_u8_array_sequence(&Array::of1(&bytes), "app.rpm").expect("a file")
    }

    /// Sends requests to a page without workers until there is an answer that ends the work.
    async fn answers(requests: &[(Request, Vec<File>)]) -> Vec<Answer> {
        let answers = Rc::new(RefCell::new(Vec::new()));
        let sink = Rc::clone(&answers);
        let here = Here::new(Callback::from(move |answer: Answer| sink.borrow_mut().push(answer)));
        for (count, (request, files)) in requests.iter().enumerate() {
            here.handle(&message(request, files.iter().map(JsValue::from)));
            let ends = |(response, _): &Answer| !matches!(response, Response::Progress(_));
            while answers.borrow().iter().filter(|answer| ends(answer)).count() <= count {
                TimeoutFuture::new(0).await;
            }
        }
        answers.take()
    }

    fn package() -> NewPackage {
        NewPackage {
            files: vec![NewFile::file("/usr/bin/app", 0o755, vec![b'x'; 1_000_000])],
            ..NewPackage::new("app", "1", "1", "x86_64")
        }
    }

    fn recipe() -> Recipe {
        Recipe::new("app", Target { release: "43".into(), arch: Arch::X86_64 })
    }

    #[wasm_bindgen_test]
    async fn without_workers_the_page_composes_in_memory() {
        let answers = answers(&[(
            Request::Compose { recipe: recipe(), on_base: false },
            vec![file(&package())],
        )])
        .await;
        let Some((Response::Composed { report, in_memory, .. }, Some(file))) = answers.last()
        else {
            panic!("no image: {:?}", answers.last().map(|(response, _)| response));
        };
        assert!(*in_memory && file.size() == report.size as f64);
        // A megabyte of one letter, the release file and their folders.
        assert!(report.size < 40_000 && report.files == 2, "{report:?}");
    }

    #[wasm_bindgen_test]
    async fn headers_are_read_and_plans_made() {
        let broken = File::new_with_str_sequence(&Array::of1(&"no package".into()), "x.rpm")
            .expect("a file");
        let plan = Request::Plan { serial: 3, keys: vec![7], recipe: recipe() };
        let answers = answers(&[
            (Request::Read { key: 7 }, vec![file(&package())]),
            (Request::Read { key: 8 }, vec![broken]),
            (plan, Vec::new()),
        ])
        .await;
        let [read, failed, planned] = answers.as_slice() else {
            panic!("{} answers", answers.len())
        };
        assert!(
            matches!(&read.0, Response::Read { key: 7, package: Ok(info) } if info.installed == 1_000_000)
        );
        assert!(
            matches!(&failed.0, Response::Read { key: 8, package: Err(error) } if error.contains("byte 0"))
        );
        assert!(
            matches!(&planned.0, Response::Planned { serial: 3, plan: Ok(plan) } if plan.files == 2)
        );
    }
}
