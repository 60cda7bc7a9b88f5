// Counts the time to pay down; the page says the same without it, as a point in time.
const left = document.querySelector("[data-left-s]");
const endsAt = performance.now() + Number(left.dataset.leftS) * 1000;

function tick() {
  const seconds = Math.max(0, Math.round((endsAt - performance.now()) / 1000));
  const hours = Math.floor(seconds / 3600);
  const clock = [Math.floor((seconds % 3600) / 60), seconds % 60].map((n) => String(n).padStart(2, "0")).join(":");
  left.textContent = hours ? `${hours}:${clock}` : clock;
  left.hidden = false;
  if (seconds === 0) {
    window.clearInterval(timer);
    window.location.reload();
  }
}

const timer = window.setInterval(tick, 1000);
tick();
