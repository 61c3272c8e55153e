//! What comes along with the packages that are asked for, or why they cannot be had, and how they get here.

use yew::{Callback, Html, UseReducerHandle, html};

use super::super::parts::{Alert, Command, Tone, bar};
use super::workers::Workers;
use super::{FinderProps, row, version};
use crate::browser::bytes;
use crate::finder::{Bringing, Finder};
use crate::protocol::{ChosenPackage, Missing, Obstacle};

/// What becomes of what is asked for.
pub(super) fn outcome(
    finder: &UseReducerHandle<Finder>,
    props: &FinderProps,
    workers: &Workers,
) -> Html {
    if finder.specs.is_empty() {
        return transport(finder, props, workers);
    }
    match &finder.chosen {
        None => html! { <p class="muted">{ "Looking for what comes along …" }</p> },
        Some(Err(problems)) => html! {
            <div role="alert">
                <Alert tone={Tone::Danger} title="These packages cannot be had">
                    { for problems.iter().map(obstacle) }
                </Alert>
            </div>
        },
        Some(Ok(packages)) => html! {
            <>
                <p role="status">{ summary(packages) }</p>
                { list(packages) }
                { transport(finder, props, workers) }
            </>
        },
    }
}

fn obstacle(Obstacle { what, because, help }: &Obstacle) -> Html {
    let line = |text: &String| html! { <li>{ text }</li> };
    html! {
        <div class="problem">
            <p>{ what }</p>
            if !because.is_empty() {
                <ul>{ for because.iter().map(line) }</ul>
            }
            if !help.is_empty() {
                <p>{ "This would help:" }</p>
                <ul>{ for help.iter().map(line) }</ul>
            }
        </div>
    }
}

/// What comes along, in one sentence.
fn summary(packages: &[ChosenPackage]) -> String {
    let sum =
        |size: fn(&ChosenPackage) -> u64| packages.iter().map(size).fold(0, u64::saturating_add);
    let others = packages.iter().filter(|package| !package.asked).count();
    let along = match others {
        0 => String::new(),
        1 => ", 1 of them comes along".to_owned(),
        others => format!(", {others} of them come along"),
    };
    match packages.len() {
        0 => "The system has it already: nothing is to be added.".to_owned(),
        count => format!(
            "{count} {}{along}: {} to fetch, {} of files.",
            if count == 1 { "package" } else { "packages" },
            bytes(sum(|package| package.file.size)),
            bytes(sum(|package| package.installed)),
        ),
    }
}

fn list(packages: &[ChosenPackage]) -> Html {
    if packages.is_empty() {
        return Html::default();
    }
    let line = |package: &ChosenPackage| {
        let ChosenPackage { name, evr, arch, why, file, .. } = package;
        let size = html! { <span class="muted">{ bytes(file.size) }</span> };
        row(&file.nevra, name, &version(evr, arch), why, size)
    };
    html! {
        <details class="more">
            <summary>{ "Which, and why" }</summary>
            <ul class="packages found" tabindex="0" aria-label="Packages that are needed">{ for packages.iter().map(line) }</ul>
        </details>
    }
}

/// The button that fetches packages, and what became of it.
fn transport(
    finder: &UseReducerHandle<Finder>,
    FinderProps { present, on_remove, .. }: &FinderProps,
    workers: &Workers,
) -> Html {
    if let Some(Bringing { done, total }) = finder.bringing {
        let workers = workers.clone();
        let cancel = Callback::from(move |_| workers.cancel());
        return html! {
            <div class="running">
                { bar("bringing", "Fetching packages", done, total) }
                <button type="button" class="pf-v6-c-button pf-m-secondary" onclick={cancel}>{ "Cancel" }</button>
            </div>
        };
    }
    let (wanted, unneeded) = (finder.wanted(present), finder.unneeded(present));
    let size = wanted.iter().map(|file| file.size).fold(0, u64::saturating_add);
    let label = match (wanted.len(), unneeded.len()) {
        (0, 0) if finder.packages().is_empty() => return Html::default(),
        (0, 0) => {
            return html! { <p class="muted" id="all-brought">{ "All of them are in the list below." }</p> };
        }
        (0, 1) => "Take out 1 package that is no longer needed".to_owned(),
        (0, others) => format!("Take out {others} packages that are no longer needed"),
        (1, _) => format!("Add 1 package ({})", bytes(size)),
        (count, _) => format!("Add {count} packages ({})", bytes(size)),
    };
    let bring = {
        let (workers, on_remove) = (workers.clone(), on_remove.clone());
        Callback::from(move |_| {
            on_remove.emit(unneeded.clone());
            if !wanted.is_empty() {
                workers.bring(wanted.clone());
            }
        })
    };
    html! {
        <>
            { missing(finder) }
            <div><button type="button" id="bring" class="pf-v6-c-button pf-m-primary" onclick={bring}>{ label }</button></div>
        </>
    }
}

/// Packages that did not come, and how to get them.
fn missing(finder: &Finder) -> Html {
    let elsewhere: Vec<&str> = finder
        .missing
        .iter()
        .filter(|missing| missing.is_elsewhere)
        .map(|missing| missing.nevra.as_str())
        .collect();
    let failed = finder.missing.iter().filter(|missing| !missing.is_elsewhere);
    let failed: Vec<&Missing> = failed.collect();
    html! {
        <>
            if !failed.is_empty() {
                <div role="alert">
                    <Alert tone={Tone::Danger} title="Packages could not be fetched">
                        { for failed.iter().map(|Missing { nevra, why, .. }| html! { <p class="problem">{ format!("{nevra}: {why}") }</p> }) }
                    </Alert>
                </div>
            }
            if let (false, Some(system)) = (elsewhere.is_empty(), finder.current()) {
                <div role="alert">
                    <Alert tone={Tone::Info} title="This site does not have these packages">
                        <p>{ "Browsers do not let a page fetch from Fedora's mirrors. Download them as below, and drop the files here." }</p>
                    </Alert>
                </div>
                <Command title="Download the packages"
                    text={format!(
                        "dnf download --releasever={} --forcearch={} \\\n  {}",
                        system.release, system.arch.rpm(), elsewhere.join(" \\\n  "),
                    )} />
            }
        </>
    }
}
