'use strict';
// Uses a table that assets/tables.js serves, as its readers do, and prints as JSON which rows stand there
// after each action.
//
//   node use_tables.js PAGE.html ACTION...      ACTION: "sort NAME_OF_COLUMN" or "filter TEXT"
const { Chromium } = require('./chromium.js');

// In the page.
function act(action) {
  const [, verb, text] = /^(\w+) ?(.*)$/.exec(action);
  if (verb === 'sort') {
    [...document.querySelectorAll('th button')].find((button) => button.textContent.trim() === text).click();
  } else {
    const input = document.querySelector('input[type=search]');
    input.value = text;
    input.dispatchEvent(new Event('input', { bubbles: true }));
  }
  const rows = [...document.querySelectorAll('tbody tr')].filter((row) => row.checkVisibility());
  const order = document.querySelector('th[aria-sort]');
  return {
    rows: rows.map((row) => row.cells[0].textContent),
    status: document.querySelector('[role=status]').textContent,
    order: order ? `${order.textContent.trim()} ${order.getAttribute('aria-sort')}` : '',
    out: [...document.querySelectorAll('svg .out')].map((mark) => mark.dataset.run),
  };
}

async function main([page, ...actions]) {
  const browser = new Chromium();
  try {
    await browser.open();
    await browser.navigate(page);
    const states = [];
    for (const action of actions) {
      states.push(await browser.evaluate(`(${act})(${JSON.stringify(action)})`));
    }
    console.log(JSON.stringify(states));
  } finally {
    await browser.close();
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
