// An enhancement: without it numbers are marked by a tap, and the browser asks for the page again by itself.
(() => {
  const page = document.documentElement;
  for (const button of document.querySelectorAll("button[data-copy]")) {
    if (!navigator.clipboard) break;
    button.hidden = false;
    const name = button.textContent;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = button.dataset.done;
      document.getElementById("said").textContent = button.dataset.done;
      setTimeout(() => {
        button.textContent = name;
        document.getElementById("said").textContent = "";
      }, 2000);
    });
  }
  const seconds = Number(page.dataset.again);
  if (!seconds) return;
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) return;
      const now = new DOMParser().parseFromString(await answer.text(), "text/html").documentElement;
      if (now.dataset.standing !== page.dataset.standing) location.reload();
    } catch {
      // Without a network nothing is known: it looks again.
    }
  };
  setInterval(look, seconds * 1000);
  document.addEventListener("visibilitychange", look);
})();
