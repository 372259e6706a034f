// A page that comes back from the browser's memory, by "back", belongs to whoever was logged in when it was opened.

/** Loads `page` anew when it comes back and its reader is not logged in any more: it then shows what the next one may see. */
export function showToReaderOnly(page) {
  const { reader, me } = page.body.dataset;
  if (!reader) return;
  addEventListener("pageshow", async ({ persisted }) => {
    if (persisted && !(await isLoggedIn(reader, me))) location.reload();
  });
}

async function isLoggedIn(reader, me) {
  try {
    const answer = await fetch(me, { headers: { Accept: "application/json" } });
    return answer.status >= 500 || (answer.ok && (await answer.json()).id === reader);
  } catch {
    return true; // no line: nobody can tell, and a reload would show nothing
  }
}
