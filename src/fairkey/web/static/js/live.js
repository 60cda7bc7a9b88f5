// Live fragments: an element with an id and data-live-src="…" listens to that address (server-sent events).
//   event: changed            the page is fetched again and the element with the same id is taken from it
//                             (and with it what stands elsewhere and says data-live-along="<that id>")
//   event: fragment           data is the new inner HTML
//   event: go                 data is an address on this site to move on to (payment arrived → order page)
// If the stream cannot be had, the page is fetched every POLL_MS instead. What a person is typing is never taken away: the
// fragment waits until the field is left.

const POLL_MS = 15_000;
const SETTLE_MS = 250;

function isBusy(fragment) {
  const active = document.activeElement;
  const editing = active && fragment.contains(active) && active.matches("input, textarea, select");
  return editing || fragment.querySelector("details.confirm[open]") !== null;
}

class LiveFragment {
  constructor(id, src) {
    this.id = id;
    this.src = src;
    this.timer = 0;
    this.isFetching = false;
    this.isPolling = false;
    this.waiting = null;
    this.element().addEventListener("focusout", () => this.showWaiting());
    document.addEventListener("toggle", () => this.showWaiting(), true);
    document.addEventListener("fairkey:stale", (event) => { if (this.element()?.contains(event.target)) this.soon(); });
    document.addEventListener("visibilitychange", () => { if (!document.hidden && this.isPolling) this.soon(); });
    this.listen();
  }

  element() { return document.getElementById(this.id); }

  listen() {
    const stream = new EventSource(this.src);
    stream.addEventListener("changed", () => this.soon());
    stream.addEventListener("fragment", (event) => this.offer(event.data));
    stream.addEventListener("go", (event) => {
      const target = new URL(event.data, location.href);
      if (target.origin === location.origin) location.assign(target);
    });
    stream.addEventListener("end", () => stream.close());
    stream.onerror = () => {
      // CONNECTING means the browser tries again by itself; CLOSED means the server said no.
      if (stream.readyState === EventSource.CLOSED && !this.isPolling) {
        this.isPolling = true;
        setInterval(() => { if (!document.hidden) this.soon(); }, POLL_MS);
      }
    };
    addEventListener("pagehide", () => stream.close(), { once: true });
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetchPage(), SETTLE_MS);
  }

  async fetchPage() {
    if (this.isFetching) return;
    this.isFetching = true;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin", cache: "no-store" });
      if (!answer.ok) return;
      if (answer.redirected && new URL(answer.url).pathname !== location.pathname) {
        location.assign(answer.url);
        return;
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(this.id);
      if (fresh) this.offer(fresh.innerHTML);
      for (const along of document.querySelectorAll(`[id][data-live-along="${this.id}"]`)) {
        along.replaceChildren(...(page.getElementById(along.id)?.childNodes ?? []));
      }
    } catch {
      // No network: the next event or poll tries again.
    } finally {
      this.isFetching = false;
    }
  }

  offer(html) {
    const element = this.element();
    if (!element) return;
    if (isBusy(element)) this.waiting = html;
    else this.replace(element, html);
  }

  showWaiting() {
    // After the event, so that the focus has arrived where it goes.
    setTimeout(() => {
      const element = this.element();
      if (this.waiting === null || !element || isBusy(element)) return;
      const html = this.waiting;
      this.waiting = null;
      this.replace(element, html);
    });
  }

  replace(element, html) {
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    const words = (node) => node.textContent.replace(/\s+/g, " ").trim();
    const openIds = [...element.querySelectorAll("details[open][id]")].map((details) => details.id);
    const focusedId = element.contains(document.activeElement) ? document.activeElement.id : "";
    const before = words(element);
    element.replaceChildren(fresh.content);
    for (const id of openIds) document.getElementById(id)?.setAttribute("open", "");
    if (focusedId) document.getElementById(focusedId)?.focus();
    if (before !== words(element)) {
      element.classList.remove("is-fresh");
      void element.offsetWidth;
      element.classList.add("is-fresh");
      const spoken = element.querySelector("[data-live-say]");
      const say = document.getElementById("say");
      if (spoken && say) say.textContent = words(spoken);
    }
    element.dispatchEvent(new CustomEvent("fairkey:replaced", { bubbles: true }));
  }
}

for (const element of document.querySelectorAll("[id][data-live-src]")) new LiveFragment(element.id, element.dataset.liveSrc);
