// Menus for the keyboard. Streamlit draws an open menu at the end of the page; here the Tab key goes from its button
// into it, and from its last control to what follows the button.

const OPEN_MENU = '[data-testid=stPopoverBody]';
const ITS_BUTTON = '[data-testid=stPopoverButton][aria-expanded=true]';
const CONTROLS = ':is(a[href], button, input, select, textarea):not(:disabled)';

// Listens before Streamlit, whose groups of buttons move the focus themselves.
function stepThroughMenu(event) {
  const button = document.querySelector(ITS_BUTTON);
  const menu = document.querySelector(OPEN_MENU);
  if (event.key !== 'Tab' || !button || !menu) return;
  const stops = [...menu.querySelectorAll(CONTROLS)].map(stopOf);
  const here = document.activeElement;
  if (here === button && !event.shiftKey) {
    event.preventDefault();
    (stops[0].querySelector('[aria-checked=true]') || menu.querySelector(CONTROLS)).focus();
  } else if (menu.contains(here) && stopOf(here) === stops.at(event.shiftKey ? 0 : -1)) {
    event.stopPropagation();
    button.focus();
    if (event.shiftKey) event.preventDefault(); // else the browser goes on from there
  }
}

// A group of buttons is one stop: the arrow keys go from button to button.
function stopOf(control) {
  return control.closest('[role=radiogroup]') || control;
}
