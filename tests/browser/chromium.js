'use strict';
// A headless Chromium, driven by its DevTools protocol over two pipes: no package and no port.
// https://chromedevtools.github.io/devtools-protocol/
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

class Chromium {
  constructor() {
    this.profile = fs.mkdtempSync(path.join(os.tmpdir(), 'lockstep-browser-'));
    this.process = spawn('chromium', [
      '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
      '--disable-extensions', '--disable-background-networking', '--hide-scrollbars',
      '--remote-debugging-pipe', `--user-data-dir=${this.profile}`, 'about:blank',
    ], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    this.calls = new Map();
    this.listeners = [];
    this.ended = new Promise((resolve) => this.process.on('close', resolve));
    this.process.on('close', (code) => this.fail(`chromium ended with ${code}`));
    this.process.on('error', (error) => this.fail(`chromium does not start: ${error.message}`));
    // Messages end with a NUL.
    let begun = '';
    this.process.stdio[4].setEncoding('utf8').on('data', (text) => {
      const parts = (begun + text).split('\0');
      begun = parts.pop();
      for (const part of parts) this.take(JSON.parse(part));
    });
    this.process.stdio[3].on('error', () => {});  // told by 'close'
  }

  take(message) {
    if (!message.id) {
      for (const listener of this.listeners) listener(message.method, message.params);
      return;
    }
    const call = this.calls.get(message.id);
    this.calls.delete(message.id);
    if (message.error) call.reject(new Error(`${call.method}: ${message.error.message}`));
    else call.resolve(message.result);
  }

  fail(why) {
    for (const call of this.calls.values()) call.reject(new Error(`${call.method}: ${why}`));
    this.calls.clear();
  }

  send(method, params = {}) {
    const id = (this.last = (this.last ?? 0) + 1);
    return new Promise((resolve, reject) => {
      this.calls.set(id, { method, resolve, reject });
      this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId: this.session })}\0`);
    });
  }

  // Opens a blank page; everything sent from then on is about it.
  async open() {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    this.session = (await this.send('Target.attachToTarget', { targetId, flatten: true })).sessionId;
    for (const domain of ['Page', 'Runtime', 'Log', 'Accessibility']) await this.send(`${domain}.enable`);
  }

  next(event) {
    return new Promise((resolve) => {
      const listener = (method, params) => {
        if (method !== event) return;
        this.listeners = this.listeners.filter((each) => each !== listener);
        resolve(params);
      };
      this.listeners.push(listener);
    });
  }

  async navigate(file) {
    const loaded = this.next('Page.loadEventFired');
    await this.send('Page.navigate', { url: `file://${path.resolve(file)}` });
    await loaded;
  }

  // What an expression in the page gives, as JSON.
  async evaluate(expression) {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', {
      expression, returnByValue: true, awaitPromise: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  async close() {
    this.session = undefined;
    this.send('Browser.close').catch(() => {});
    await this.ended;
    fs.rmSync(this.profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

module.exports = { Chromium };
