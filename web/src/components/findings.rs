//! Findings: those of one check together, the gravest first.

use std::collections::BTreeMap;

use sysext::{Check, Finding, Severity};
use yew::{Html, Properties, component, html};

use super::parts::{Tone, icon};

/// Findings of one check that are listed; the rest is counted.
const SHOWN: usize = 100;

#[derive(PartialEq, Properties)]
pub(crate) struct FindingsProps {
    pub(crate) findings: Vec<Finding>,
}

/// What a person should know of the extension.
#[component]
pub(crate) fn Findings(FindingsProps { findings }: &FindingsProps) -> Html {
    let mut groups = BTreeMap::<(Severity, Check), Vec<&Finding>>::new();
    for finding in findings {
        groups.entry((finding.severity, finding.check)).or_default().push(finding);
    }
    html! {
        <div class="findings">
            { for groups.into_iter().map(|((severity, check), group)| group_of(severity, check, &group)) }
        </div>
    }
}

fn group_of(severity: Severity, check: Check, group: &[&Finding]) -> Html {
    let (tone, word) = match severity {
        Severity::Error => (Tone::Danger, "Error"),
        Severity::Warning => (Tone::Warning, "Warning"),
        Severity::Info => (Tone::Info, "Note"),
    };
    let mut fixes: Vec<&str> = group.iter().filter_map(|finding| finding.fix.as_deref()).collect();
    fixes.dedup();
    html! {
        <details class={format!("finding finding--{}", tone.class())} open={severity == Severity::Error}>
            <summary>
                <span class="finding__icon">{ icon(tone.icon()) }</span>
                <span class="sr-only">{ format!("{word}: ") }</span>
                <span class="finding__title">{ check.title() }</span>
                <span class="pf-v6-c-badge pf-m-read">{ group.len() }</span>
            </summary>
            <ul>
                { for group.iter().take(SHOWN).map(|finding| html! { <li>{ &finding.message }</li> }) }
                if group.len() > SHOWN {
                    <li>{ format!("and {} more", group.len() - SHOWN) }</li>
                }
            </ul>
            { for fixes.iter().take(3).map(|fix| html! { <p class="finding__fix">{ "What to do: " }{ *fix }</p> }) }
        </details>
    }
}
