// The worker is the page's own module in its second role. The first message is the compiled module.
import init from "./app.js";

self.addEventListener("message", (event) => init({ module_or_path: event.data }), { once: true });
