// Streamlit names its drop zones for files, but gives them the role of mere decoration, which may have no name.

const mounted = new WeakMap();

export default function ({ parentElement }) {
  if (!mounted.has(parentElement)) {
    const observer = new MutationObserver(repair);
    observer.observe(document.body, { childList: true, subtree: true });
    mounted.set(parentElement, observer);
    repair();
  }
  return () => {
    mounted.get(parentElement)?.disconnect();
    mounted.delete(parentElement);
  };
}

function repair() {
  const zones = document.querySelectorAll("[data-testid='stFileUploaderDropzone'][role='presentation']");
  for (const zone of zones) zone.setAttribute('role', 'group');
}
