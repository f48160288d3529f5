// What HTML cannot do: "/" focuses the search, copy buttons, the browser's time zone, pausing of live updates.
"use strict";

document.addEventListener("keydown", event => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
        const search = document.getElementById("search");
        if (search) {
            event.preventDefault();
            search.focus();
            search.select();
        }
    }
    if (event.key === "Escape") {
        document.querySelectorAll("details.account[open], details.zone[open]").forEach(details => {
            details.open = false;
            details.querySelector("summary").focus();
        });
    }
});

document.addEventListener("click", async event => {
    const pan = event.target.closest("button[data-pan]");
    if (pan) {
        const frame = document.querySelector(".lineage-frame");
        const [x, y] = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] }[pan.dataset.pan];
        frame.scrollBy(x * frame.clientWidth / 2, y * frame.clientHeight / 2);
    }
    const copy = event.target.closest("button[data-copy]");
    if (copy) {
        await navigator.clipboard.writeText(document.getElementById(copy.dataset.copy).textContent.trim());
        document.getElementById("announcer").textContent = "Copied.";
    }
    document.querySelectorAll("details.account[open], details.zone[open]").forEach(details => {
        if (!details.contains(event.target)) {
            details.open = false;
        }
    });
});

// A change is announced once, not the whole list that changed.
document.addEventListener("htmx:after:swap", event => {
    const live = event.target.closest?.("[data-announce]");
    const text = live?.querySelector("[data-announcement]")?.dataset.announcement;
    const announcer = document.getElementById("announcer");
    if (text && announcer.textContent !== text) {
        announcer.textContent = text;
    }
    document.title = live?.querySelector("[data-title]")?.dataset.title ?? document.title;
});

// The session has ended: the reloaded page asks for a key.
document.addEventListener("htmx:sse:error", event => {
    if (event.detail.status === 401) {
        location.reload();
    }
});

// A link to a part opens it. A stage that is not among the first ones is on the page with all stages.
function showTarget() {
    const id = location.hash.slice(1);
    const target = document.getElementById(id);
    const all = document.querySelector(".timeline-folded a");
    if (target?.matches("details")) {
        target.open = true;
        target.scrollIntoView();
    } else if (!target && all && id.startsWith("stage-")) {
        location.replace(all.href + location.hash);
    }
}
showTarget();
addEventListener("hashchange", showTarget);

// Browsers put what was typed back into a form when people go back; the filters must be those of the address.
addEventListener("pageshow", () => document.querySelectorAll("form.filters").forEach(form => form.reset()));

for (const button of document.querySelectorAll("button.own-zone")) {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (zone) {
        button.value = zone;
        button.textContent = `Use the zone of this browser (${zone})`;
        button.hidden = false;
    }
}

for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = !navigator.clipboard;
}

// Live updates can be paused (WCAG 2.2.2). A page that resumes loads the current state.
for (const button of document.querySelectorAll("button.pause")) {
    button.hidden = false;
    button.addEventListener("click", () => {
        if (button.getAttribute("aria-pressed") === "true") {
            location.reload();
            return;
        }
        button.setAttribute("aria-pressed", "true");
        button.textContent = "Resume updates";
    });
}
function isPaused() {
    return document.querySelector('button.pause[aria-pressed="true"]') !== null;
}
document.addEventListener("htmx:sse:before:message", event => {
    if (isPaused()) {
        event.preventDefault();
    }
});
// Of the requests of a page, only a poll is sent without the reader.
document.addEventListener("htmx:before:request", event => {
    if (isPaused() && event.target.matches("[hx-trigger^='every']")) {
        event.preventDefault();
    }
});

for (const button of document.querySelectorAll("button[data-pan]")) {
    button.hidden = false;
}

// The drawing begins at the dataset that it is about.
// Only the frame scrolls: the page stays at its top, or at the node of its address.
const frame = document.querySelector(".lineage-frame");
const start = frame?.querySelector(".node-focus");
if (start && !location.hash) {
    const [box, around] = [start.getBoundingClientRect(), frame.getBoundingClientRect()];
    frame.scrollLeft += box.left - around.left - (frame.clientWidth - box.width) / 2;
    frame.scrollTop += box.top - around.top - (frame.clientHeight - box.height) / 2;
}
