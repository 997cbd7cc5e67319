// What a page takes of the machine: memory, long tasks, frames.

import type { Page } from '@playwright/test';
import { readFile } from 'node:fs/promises';

interface Measured {
  longTasks: number[];
  /** Kept, since a collection of garbage would end it. */
  observer: PerformanceObserver;
  frames: number[];
}

declare global {
  interface Window {
    measured: Measured;
  }
}

/** Begins to note long tasks, on every document that the page loads from now on. */
export async function noteLongTasks(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const observer = new PerformanceObserver((list) => {
      window.measured.longTasks.push(...list.getEntries().map(({ duration }) => duration));
    });
    window.measured = { longTasks: [], frames: [], observer };
    observer.observe({ type: 'longtask', buffered: true });
  });
}

/** Returns the milliseconds of each task over 50 ms that the page's thread had during the action. */
export async function longTasksDuring(page: Page, action: () => Promise<void>): Promise<number[]> {
  await page.evaluate(() => (window.measured.longTasks = []));
  await action();
  return page.evaluate(() => window.measured.longTasks.map(Math.round));
}

/** Returns the milliseconds between the frames that the page had during the action. */
export async function framesDuring(page: Page, action: () => Promise<void>): Promise<number[]> {
  await page.evaluate(() => {
    const times: number[] = [];
    window.measured.frames = times;
    const next = (time: number) => {
      if (window.measured.frames === times) {
        times.push(time);
        requestAnimationFrame(next);
      }
    };
    requestAnimationFrame(next);
  });
  await action();
  return page.evaluate(() => {
    const times = window.measured.frames;
    window.measured.frames = [];
    return times.slice(1).map((time, index) => time - (times[index] ?? time));
  });
}

/** Milliseconds that a slice of work takes on a machine that nobody else uses. */
const SLICE = 4;

/**
 * Returns how many times longer the page's thread takes for its work than it would have to, because the machine is slow or
 * others use it: bounds of time are multiplied by it.
 */
export async function slowdown(page: Page): Promise<number> {
  const times = await page.evaluate(async () => {
    const taken: number[] = [];
    for (let slice = 0; slice < 60; slice += 1) {
      const began = performance.now();
      let sum = 0;
      for (let step = 0; step < 2_000_000; step += 1) {
        sum += Math.sqrt(step);
      }
      taken.push(sum > 0 ? performance.now() - began : 0);
      await new Promise((resolve) => setTimeout(resolve));
    }
    return taken;
  });
  const median = times.sort((one, other) => one - other)[Math.floor(times.length / 2)] ?? SLICE;
  return Math.max(1, median / SLICE);
}

/** Returns the frames of a second in which the mouse's wheel turns over something that scrolls. */
export async function framesOfScrolling(page: Page): Promise<number> {
  const frames = await framesDuring(page, async () => {
    const end = Date.now() + 1000;
    while (Date.now() < end) {
      await page.mouse.wheel(0, 100);
    }
  });
  return frames.length;
}

/** Shows a plain table of a thousand rows, which scrolls as well as anything on this machine. */
export async function showPlainTable(page: Page): Promise<void> {
  const row = `<tr>${'<td>Robin Officer</td>'.repeat(8)}</tr>`;
  const table = `<table>${row.repeat(1000)}</table>`;
  await page.setContent(`<div style="height: 560px; overflow: auto">${table}</div>`);
  await page.locator('div').hover();
}

/** Returns the mebibytes that the tab's own process has for itself, without garbage. */
export async function memoryOf(page: Page): Promise<number> {
  const tab = await page.context().newCDPSession(page);
  await tab.send('HeapProfiler.collectGarbage');
  await tab.detach();
  const browser = page.context().browser();
  if (!browser) {
    throw new Error('The page belongs to no browser.');
  }
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const renderers = processInfo.filter(({ type }) => type === 'renderer');
  const sizes = await Promise.all(renderers.map(({ id }) => privateMemory(id)));
  return Math.max(...sizes);
}

/** Returns the mebibytes of a process that it shares with no other. */
async function privateMemory(process: number): Promise<number> {
  const rollup = await readFile(`/proc/${process}/smaps_rollup`, 'utf8');
  const kibibytes = [...rollup.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].map(([, size]) =>
    Number(size),
  );
  return kibibytes.reduce((sum, size) => sum + size, 0) / 1024;
}
