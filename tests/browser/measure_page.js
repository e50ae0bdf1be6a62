'use strict';
// Opens a page in Chromium as its readers do and prints, as JSON, what they would stumble over.
//
//   node measure_page.js PAGE.html [PICTURES] [--views 320,print]
//
// PICTURES: a folder for screenshots and the print, to be looked at. Views: those of kViews, all
// unless given.
const fs = require('node:fs');
const path = require('node:path');
const { Chromium } = require('./chromium.js');

const checks = fs.readFileSync(path.join(__dirname, 'page_checks.js'), 'utf8');
const kExplored = 12;  // charts
const kA4 = 718;  // CSS pixels between the margins
const kViews = [
  { name: '320', width: 320, scheme: 'light', isWhole: true },
  { name: '320-dark', width: 320, scheme: 'dark' },
  { name: '640-zoomed', width: 640, scheme: 'light', scale: 2 },  // 1280 at 200 %
  { name: '768', width: 768, scheme: 'light' },
  { name: '768-plain', width: 768, scheme: 'light', isPlain: true, isLayoutAlone: true },  // without JavaScript
  { name: '900', width: 900, scheme: 'light', isLayoutAlone: true },
  { name: '1024', width: 1024, scheme: 'light', isLayoutAlone: true },
  { name: '1100', width: 1100, scheme: 'light', isLayoutAlone: true },
  { name: '1200', width: 1200, scheme: 'light', isLayoutAlone: true },
  { name: '1280', width: 1280, scheme: 'light', isLayoutAlone: true },
  { name: '1400', width: 1400, scheme: 'light', isWhole: true },
  { name: '1400-dark', width: 1400, scheme: 'dark' },
  { name: '1400-plain', width: 1400, scheme: 'light', isPlain: true, isLayoutAlone: true },
  { name: 'print', width: kA4, scheme: 'light', media: 'print' },
  { name: 'print-plain', width: kA4, scheme: 'light', media: 'print', isPlain: true, isLayoutAlone: true },
];

async function show(browser, view) {
  await browser.send('Emulation.setDeviceMetricsOverride', {
    width: view.width, height: 900, deviceScaleFactor: view.scale ?? 1, mobile: false,
  });
  await browser.send('Emulation.setEmulatedMedia', {
    media: view.media ?? 'screen', features: [{ name: 'prefers-color-scheme', value: view.scheme }],
  });
}

async function picture(browser, folder, name) {
  const height = await browser.evaluate('document.documentElement.scrollHeight');
  const { data } = await browser.send('Page.captureScreenshot', {
    captureBeyondViewport: true,
    clip: { x: 0, y: 0, width: await browser.evaluate('innerWidth'), height: Math.min(height, 15000), scale: 1 },
  });
  fs.writeFileSync(path.join(folder, `${name}.png`), Buffer.from(data, 'base64'));
}

// Tables must be tables to a screen reader too, whatever the style makes of them.
async function accessibility(browser) {
  const { nodes } = await browser.send('Accessibility.getFullAXTree');
  const shown = nodes.filter((node) => !node.ignored);
  const having = (...roles) => shown.filter((node) => roles.includes(node.role?.value));
  const findings = having('image', 'table', 'figure', 'button', 'link', 'heading', 'region')
    .filter((node) => !node.name?.value)
    .map((node) => `the accessibility tree has a ${node.role.value} without a name`);
  const tables = await browser.evaluate("[...document.querySelectorAll('table')].filter((t) => t.checkVisibility()).length");
  if (having('table').length !== tables) findings.push(`${tables} tables, ${having('table').length} in the accessibility tree`);
  if (tables > 0 && having('columnheader').length === 0) findings.push('no column header in the accessibility tree');
  if (tables > 0 && having('rowheader').length === 0) findings.push('no row header in the accessibility tree');
  return findings;
}

// The first charts, opened: big enough to read, and nothing of it outside.
async function exploring(browser) {
  return browser.evaluate(`(async () => {
    const findings = [];
    for (const button of [...document.querySelectorAll('.explore-button')].slice(0, ${kExplored})) {
      button.click();
      await new Promise(requestAnimationFrame);
      const canvas = button.closest('figure').querySelector('canvas');
      if (!canvas) { findings.push('no canvas'); continue; }
      const area = Chart.getChart(canvas).chartArea;
      if (area.height < 140 || area.width < 180)
        findings.push('a chart of ' + Math.round(area.width) + ' x ' + Math.round(area.height) + ' pixels');
      const root = document.documentElement;
      if (root.scrollWidth > root.clientWidth) findings.push('an open chart makes the page ' + root.scrollWidth + ' pixels wide');
      button.click();
      if (button.closest('figure').querySelector('canvas')) findings.push('a chart that does not close');
    }
    return findings;
  })()`);
}

async function printed(browser) {
  await browser.send('Emulation.setEmulatedMedia', { media: '' });  // or it would print what a screen shows
  const { data } = await browser.send('Page.printToPDF', { preferCSSPageSize: true, paperWidth: 8.27, paperHeight: 11.69, printBackground: false });
  const pdf = Buffer.from(data, 'base64');
  return { pdf, pages: (pdf.toString('latin1').match(/\/Type\s*\/Page\b/g) ?? []).length };
}

async function opened(browser, page) {
  await browser.navigate(page);
  await browser.evaluate(`${checks};globalThis.pageChecks = pageChecks;0`);
}

async function openDetails(browser) {
  await browser.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
}

async function look(browser, view, pictures, add) {
  await show(browser, view);
  if (pictures) await picture(browser, pictures, view.name);
  const found = await browser.evaluate(`pageChecks.run(${view.isLayoutAlone ?? false})`);
  for (const [check, all] of Object.entries(found)) add(view.name, check, all);
}

async function measure(browser, page, pictures, views) {
  const findings = [];
  const add = (view, check, all) => { for (const text of all) findings.push({ view, check, text }); };
  browser.listeners.push((method, params) => {
    if (method === 'Log.entryAdded') add('', 'console', [params.entry.text]);
    if (method === 'Runtime.exceptionThrown') add('', 'console', [params.exceptionDetails.exception?.description ?? 'exception']);
    if (method === 'Runtime.consoleAPICalled') add('', 'console', [`console.${params.type}`]);
    if (method === 'Page.javascriptDialogOpening') {  // the page waits for its end
      add('', 'dialog', [`${params.type}: ${params.message}`]);
      browser.send('Page.handleJavaScriptDialog', { accept: false }).catch(() => {});
    }
  });
  await show(browser, views[0]);
  await opened(browser, page);
  const paper = await printed(browser);  // as it is opened
  if (pictures) fs.writeFileSync(path.join(pictures, 'print.pdf'), paper.pdf);
  await openDetails(browser);  // measured with everything open
  for (const view of views.filter((each) => !each.isPlain)) {
    await look(browser, view, pictures, add);
    if (!view.isWhole) continue;
    add(view.name, 'accessibility', await accessibility(browser));
    add(view.name, 'exploring', await exploring(browser));
  }
  const counts = await browser.evaluate("({ tables: document.querySelectorAll('table').length, charts: document.querySelectorAll('figure[data-plot] svg.plot').length, buttons: document.querySelectorAll('.explore-button').length })");
  const words = await browser.evaluate("({ title: document.title, heading: document.querySelector('h1')?.textContent ?? '', text: document.body.textContent })");
  const plain = views.filter((each) => each.isPlain);
  if (plain.length > 0) {
    await browser.send('Emulation.setScriptExecutionDisabled', { value: true });
    await opened(browser, page);
    await openDetails(browser);
  }
  for (const view of plain) await look(browser, view, pictures, add);
  return { pages: paper.pages, counts, words, findings };
}

function viewsOf(names) {
  const views = kViews.filter((view) => names.includes(view.name));
  if (views.length !== names.length) throw new Error(`unknown view among ${names}`);
  return views;
}

async function main(options) {
  const at = options.indexOf('--views');
  const views = at < 0 ? kViews : viewsOf(options.splice(at, 2)[1].split(','));
  const [page, pictures] = options;
  if (pictures) fs.mkdirSync(pictures, { recursive: true });
  const browser = new Chromium();
  try {
    await browser.open();
    console.log(JSON.stringify(await measure(browser, page, pictures, views)));
  } finally {
    await browser.close();
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
