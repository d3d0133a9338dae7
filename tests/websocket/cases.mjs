// SPDX-License-Identifier: Apache-2.0
//
// Runs named cases one after the other, each with a time that only something stuck needs, and says how each went. After
// one that failed it cleans up, so that the next ones speak for themselves.
const CASE_MILLISECONDS_MAX = 30_000;

const cases = [];

export function test(name, work) { cases.push({ name, work }); }

export async function runCases(cleanUp) {
  let failed = 0;
  for (const { name, work } of cases) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error('did not end')), CASE_MILLISECONDS_MAX);
    });
    try {
      await Promise.race([work(), late]);
      console.log(`ok      ${name}`);
    } catch (error) {
      ++failed;
      console.log(`FAILED  ${name}\n        ${error.stack}`);
      cleanUp();
    }
    clearTimeout(timer);
  }
  console.log(`${cases.length - failed} passed, ${failed} failed`);
  return failed === 0;
}
