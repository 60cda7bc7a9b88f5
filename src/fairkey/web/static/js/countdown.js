// Live countdowns: every <time data-deadline-ms> shows what is left, by the server's clock.
// At zero it says so and asks the fragment around it to look again (event "fairkey:stale", heard by live.js).

const root = document.documentElement;
const serverNowMs = Number(root.dataset.nowMs);
// The visitor's clock may be wrong by hours; only the difference at load is taken from it. performance.now() does not jump when the
// clock is set.
const loadedAt = performance.now();
const now = () => (serverNowMs ? serverNowMs + performance.now() - loadedAt : Date.now());

const NEAR_MS = 15 * 60_000;
const chinese = root.lang.startsWith("zh");

const units = chinese ? { day: "天", hour: "小时" } : { day: " d", hour: " h" };

/** Time left: minutes and seconds below an hour, else hours and minutes, else days and hours. */
export function remaining(leftMs) {
  const total = Math.ceil(leftMs / 1000);
  const two = (value) => String(value).padStart(2, "0");
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor(total / 60) % 60;
  if (hours >= 48) return `${Math.floor(hours / 24)}${units.day}${chinese ? "" : " "}${hours % 24}${units.hour}`;
  if (hours >= 1) return `${hours}:${two(minutes)}:${two(total % 60)}`;
  return `${two(minutes)}:${two(total % 60)}`;
}

function tick() {
  for (const element of document.querySelectorAll("time[data-deadline-ms]")) {
    const leftMs = Number(element.dataset.deadlineMs) - now();
    const text = leftMs > 0 ? remaining(leftMs) : element.dataset.over;
    if (element.textContent !== text) element.textContent = text;
    element.closest(".countdown")?.classList.toggle("is-near", leftMs < NEAR_MS);
    if (leftMs <= 0 && !element.dataset.told) {
      element.dataset.told = "1";
      element.dispatchEvent(new CustomEvent("fairkey:stale", { bubbles: true }));
    }
  }
}

tick();
setInterval(tick, 1000);
document.addEventListener("fairkey:replaced", tick);
