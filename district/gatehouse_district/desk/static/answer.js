// Answering without leaving the page: the row itself changes when the server says so.

export function answerInPlace(words) {
  const form = document.getElementById("answer");
  const failed = document.getElementById("failed");
  if (!form) return;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.submitter?.name === "alarm" ? event.submitter : null;
    if (!button || button.ariaDisabled) return; // Enter in the name's field answers nothing
    const sent = new URLSearchParams(new FormData(form));
    sent.set("alarm", button.value);
    button.ariaDisabled = "true"; // disabled would lose the focus
    failed.hidden = true;
    let said = words.failed;
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: sent,
        headers: { accept: "application/json" },
        signal: AbortSignal.timeout(15000),
        redirect: "error",
      });
      const json = answer.headers.get("content-type")?.startsWith("application/json");
      const result = json ? await answer.json() : {};
      if (answer.ok && result.ok) return;
      said = result.said ?? said;
    } catch {
      // said below
    }
    button.ariaDisabled = null;
    failed.textContent = said;
    failed.hidden = false;
    failed.scrollIntoView({ block: "nearest" });
  });
}
