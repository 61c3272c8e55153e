//! The image: what it is, how to get it and what to do with it.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html, use_effect_with};

use super::parts::{Card, Command, Icon, icon};
use crate::app::Dispatch;
use crate::browser::{self, bytes};
use crate::state::{Action, Made};

#[derive(PartialEq, Properties)]
pub(crate) struct ResultProps {
    pub(crate) made: Rc<Made>,
    pub(crate) dispatch: Dispatch,
}

/// The card of the image.
#[component]
pub(crate) fn ResultCard(ResultProps { made, dispatch }: &ResultProps) -> Html {
    // Whoever waited is led to the image, and its memory is given back when it goes.
    use_effect_with(made.url.clone(), |url| {
        browser::focus("result");
        let url = url.clone();
        move || drop(web_sys::Url::revoke_object_url(&url))
    });
    let report = &made.report;
    let (name, file) = (&report.name, &report.file_name);
    let rate = report.content_size as f64 / made.seconds.max(0.001);
    let by = match made.workers {
        1 => String::new(),
        workers => format!(" by {workers} workers"),
    };
    let install = format!(
        "sudo install -d /var/lib/extensions\n\
         sudo install -m 0644 {file} /var/lib/extensions/{name}.raw\n\
         sudo restorecon -RF /var/lib/extensions\n\
         sudo systemctl enable --now systemd-sysext.service\n\
         sudo systemd-sysext refresh"
    );
    let update = format!(
        "sudo install -m 0644 {file} /var/lib/extensions/{name}.raw\nsudo systemd-sysext refresh"
    );
    let remove = format!("sudo rm /var/lib/extensions/{name}.raw\nsudo systemd-sysext refresh");
    let look = {
        let (dispatch, file) = (dispatch.clone(), made.file.clone());
        Callback::from(move |_| dispatch.dispatch(Action::LookedInto(file.clone())))
    };
    html! {
        <Card id="result" title="Image">
            <p class="made">
                <span class="made__icon">{ icon(Icon::Done) }</span>
                { format!("Made in {:.1} s, {} per second{by}.", made.seconds, bytes(rate as u64)) }
            </p>
            <dl class="facts">
                <dt>{ "File" }</dt><dd class="facts__code">{ file }</dd>
                <dt>{ "Size" }</dt>
                <dd><span id="result-size">{ report.size }</span>{ format!(" bytes ({} from {})", bytes(report.size), bytes(report.content_size)) }</dd>
                <dt>{ "SHA-256" }</dt><dd class="facts__code" id="result-sha256">{ &report.sha256 }</dd>
                <dt>{ "Files" }</dt><dd>{ report.files }</dd>
                <dt>{ "Packages" }</dt><dd>{ report.packages.join(", ") }</dd>
            </dl>
            <a id="download" class="pf-v6-c-button pf-m-primary pf-m-block" href={made.url.clone()} download={file.clone()}>
                { "Download the image" }
            </a>
            <button type="button" id="look-inside" class="pf-v6-c-button pf-m-link" onclick={look}>{ "Look inside" }</button>
            if made.in_memory {
                <p class="form__help">{ "The image is in this tab's memory: download it before you close the tab." }</p>
            }
            if made.any_release {
                <p class="form__help">{ "systemd merges it on any release: test it again after each upgrade." }</p>
            }
            <p class="form__help">{ "Run these commands on the system that the extension is for, in the folder of the download." }</p>
            <Command title="Install" text={install} />
            <Command title="Replace by a newer image" text={update} />
            <Command title="Remove" text={remove} />
        </Card>
    }
}
