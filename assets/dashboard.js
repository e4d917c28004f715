// What the pages of the dashboard need of a browser: live pieces, dialogs, local times. Everything else is plain HTML.
const local = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

function localTimes(root) {
  for (const time of root.querySelectorAll('time:not([title])')) {
    time.title = time.textContent;
    time.textContent = local.format(new Date(time.dateTime));
  }
}

/** Loads the page anew, but not under somebody who is answering a question. */
function reload() {
  const open = document.querySelector('dialog[open]');
  if (open) open.addEventListener('close', () => location.reload(), { once: true });
  else location.reload();
}

/** Replaces a piece and keeps the focus on the same link. */
function replace(place, text) {
  const focused = place.contains(document.activeElement) && document.activeElement.getAttribute('href');
  place.innerHTML = text;
  localTimes(place);
  if (focused) place.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
}

function listen(place) {
  const source = new EventSource(place.dataset.live);
  const status = place.parentElement.querySelector('[role=status]');
  source.addEventListener('piece', (event) => replace(place, event.data));
  source.addEventListener('words', (event) => (status.textContent = event.data));
  source.addEventListener('over', () => {
    source.close();
    reload();
  });
  // Closed for good: signed out, or no role any more. The page itself says which.
  source.addEventListener('error', () => source.readyState === EventSource.CLOSED && setTimeout(reload, 5000));
  return source;
}

/** A hidden page listens to nothing. */
function listenWhileVisible(place) {
  let source = listen(place);
  document.addEventListener('visibilitychange', () => {
    source.close();
    if (!document.hidden) source = listen(place);
  });
}

localTimes(document);
for (const place of document.querySelectorAll('[data-live]')) listenWhileVisible(place);
for (const button of document.querySelectorAll('[data-dialog]')) {
  const dialog = document.getElementById(button.dataset.dialog);
  button.addEventListener('click', () => dialog.showModal());
  dialog.querySelector('[data-close]').addEventListener('click', () => dialog.close());
  // A second click sends nothing twice.
  dialog.querySelector('form').addEventListener('submit', (event) => (event.submitter.disabled = true));
}
// A reload does not say again what was done.
if (location.search.includes('done=')) history.replaceState(null, '', location.pathname);
