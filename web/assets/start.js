// Before the first paint: the theme. Then the page, or a word on why there is none.
(() => {
  const stored = (() => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null;
    }
  })();
  const dark = stored ? stored === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.classList.toggle("pf-v6-theme-dark", dark);

  const fail = (message) => {
    document.querySelector("#loading").textContent = message;
  };
  if (typeof WebAssembly !== "object") {
    fail("This browser has no WebAssembly, which the composer needs. Any current browser has it.");
    return;
  }
  import("./app.js")
    .then((app) => app.default())
    .catch((error) => fail(`The page could not start: ${error}`));
})();
