// The list: pages, the filter, renaming and deleting in place, and changes made elsewhere.

import { answer, arrive, ask, expect, hear, shoot, shownCode, test } from "../fixtures.js";

const rows = (page) => page.locator(".row");

test("shows 120 rows in twelve pages", async ({ page, mock }) => {
  await mock.open("?seed=120");
  await expect(page.locator("#caller-ids-count")).toHaveText("120");
  await expect(page.locator("#pager-text")).toHaveText("1–10 of 120");
  await expect(rows(page)).toHaveCount(10);
  const seen = new Set();
  for (let number = 1; number <= 12; number++) {
    await expect(page.locator("#pager-text")).toHaveText(`${number * 10 - 9}–${number * 10} of 120`);
    for (const name of await page.locator(".cell-number").allTextContents()) seen.add(name);
    if (number < 12) await page.getByRole("button", { name: "Next" }).click();
  }
  expect(seen.size).toBe(120);
  await hear(page, "111–120 of 120");
  await expect(page.getByRole("button", { name: "Next" })).toHaveAttribute("aria-disabled", "true");
  await page.getByRole("button", { name: "Previous" }).click();
  await expect(page.locator("#pager-text")).toHaveText("101–110 of 120");
});

test("finds parts of names and numbers while they are typed", async ({ page, mock }) => {
  await mock.open("?seed=120");
  const filter = page.getByRole("searchbox");
  await expect(filter).toHaveAttribute("placeholder", "Part of a name or number");
  await filter.fill("extension 7");
  await expect(rows(page)).toHaveCount(10);
  await hear(page, "1–10 of 11");
  await filter.fill("555-0041");
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toHaveText(/Extension 42/);
  await filter.fill("+1 212-555.0041");
  await expect(rows(page)).toHaveText(/Extension 42/);
  await filter.fill("nobody");
  await expect(page.locator("#blank-title")).toHaveText("No caller ID matches “nobody”");
  await hear(page, "No caller ID matches “nobody”");
  await page.getByRole("button", { name: "Show all" }).click();
  await expect(page.locator("#pager-text")).toHaveText("1–10 of 120");
  await expect(filter).toBeFocused();
});

test("a filtered list follows changes", async ({ page, server }) => {
  await server.open();
  await server.elsewhere.add("4158675309", "Office 12");
  await expect(rows(page)).toHaveCount(1);
  await page.getByRole("searchbox").fill("office");
  await page.getByRole("searchbox").press("Enter");
  await server.elsewhere.add("2125550142", "Front office");
  await server.elsewhere.add("6175550163", "Lobby");
  await expect(rows(page)).toHaveCount(2);
  await expect(rows(page).filter({ hasText: "Lobby" })).toHaveCount(0);
});

test("if there are more caller IDs than one request brings, the field says that whole names are compared", async ({ page, mock }) => {
  await mock.open("?seed=1001");
  const filter = page.getByRole("searchbox");
  await expect(filter).toHaveAttribute("placeholder", "Whole name or number");
  await expect(page.getByLabel("Sort by")).toBeHidden();
  await filter.fill("Extension 7");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(rows(page)).toHaveCount(1);
  await hear(page, "1–1 of 1");
  await filter.fill("+1 212-555.0041");
  await filter.press("Enter");
  await expect(rows(page)).toHaveText(/Extension 42/);
  await filter.fill("extension 7");
  await filter.press("Enter");
  await expect(page.locator("#blank-text")).toContainText("The service compares whole names");
});

test("shows 10, 50 or 100 rows, and sorts all of them", async ({ page, mock }) => {
  await mock.open("?seed=120");
  const first = rows(page).first();
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByLabel("Rows").selectOption("50");
  await expect(page.locator("#pager-text")).toHaveText("1–50 of 120");
  await expect(rows(page)).toHaveCount(50);
  await page.getByLabel("Rows").selectOption("100");
  await expect(rows(page)).toHaveCount(100);
  await page.getByRole("button", { name: "Next" }).click();
  await expect(rows(page)).toHaveCount(20);
  await page.getByLabel("Sort by").selectOption("oldest");
  await expect(first).toContainText("Extension 120");
  await expect(page.locator("#pager-text")).toHaveText("1–100 of 120");
  await page.getByLabel("Sort by").selectOption("number");
  await expect(first).toContainText("(212) 555-0000");
  await page.getByRole("button", { name: "Rename Extension 3", exact: true }).click();
  await page.getByRole("textbox", { name: "Name of" }).fill("Annex");
  await page.keyboard.press("Enter");
  await page.getByLabel("Sort by").selectOption("name");
  await expect(first).toContainText("Annex");
  await expect(rows(page).nth(2)).toContainText("Extension 2");
});

test("renames in place: Enter saves, Escape cancels, and the focus stays in the row", async ({ page, mock }) => {
  await mock.open("?seed=3");
  const first = rows(page).first();
  const number = await first.locator(".cell-number").textContent();
  const rename = first.getByRole("button", { name: /^Rename/ });
  await rename.click();
  const input = page.getByRole("textbox", { name: `Name of ${number}` });
  await expect(input).toBeFocused();
  await input.fill("Never");
  await input.press("Escape");
  await expect(rename).toBeFocused();
  await expect(first.locator(".cell-name")).toHaveText("Extension 1");
  await rename.press("Enter");
  await input.fill("x".repeat(65));
  await expect(page.locator(".row-form .feedback")).toHaveText("That name has 65 characters. A name has at most 64.");
  await input.press("Enter");
  await expect(input).toBeFocused();
  await shoot(page, "rename-light");
  await input.fill("Reception");
  await input.press("Enter");
  await hear(page, "Renamed to Reception.");
  await expect(page.locator(".row").filter({ hasText: number }).locator(".cell-name")).toHaveText("Reception");
  await expect(page.locator(".row").filter({ hasText: number }).getByRole("button", { name: "Rename Reception" })).toBeFocused();
});

test("confirms deletion in the row, then focuses the next row", async ({ page, mock }) => {
  await mock.open("?seed=3");
  await page.getByRole("button", { name: "Delete Extension 2" }).click();
  await expect(page.getByRole("button", { name: "Keep it" })).toBeFocused();
  await shoot(page, "delete-light");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Delete Extension 2" })).toBeFocused();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await hear(page, "Extension 2 is deleted.");
  await expect(rows(page)).toHaveCount(2);
  await expect(page.getByRole("button", { name: "Delete Extension 3" })).toBeFocused();
});

test("shows the previous page after the last row of a page is deleted, and finally an empty list", async ({ page, mock }) => {
  await mock.open("?seed=11");
  await page.getByRole("button", { name: "Next" }).click();
  await expect(rows(page)).toHaveCount(1);
  await page.getByRole("button", { name: /^Delete/ }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(rows(page)).toHaveCount(10);
  await expect(page.locator("#caller-ids-count")).toHaveText("10");
  await expect(page.locator("#caller-ids-title")).toBeFocused();
});

test("an empty list explains how to add a caller ID", async ({ page, server }) => {
  await server.open();
  await expect(page.locator("#blank-title")).toHaveText("No caller IDs yet");
  await shoot(page, "empty-light");
});

test("shows the exact date on hover and focus; Escape hides it", async ({ page, mock }) => {
  await mock.open("?seed=1");
  const date = page.locator(".date");
  const exact = page.getByRole("tooltip", { includeHidden: true });
  await expect(exact).toBeHidden();
  await date.hover();
  await expect(exact).toBeVisible();
  await page.mouse.move(0, 0);
  await expect(exact).toBeHidden();
  await page.locator("#filter").focus();
  await page.keyboard.press("Tab");
  await expect(date).toBeFocused();
  await expect(exact).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(exact).toBeHidden();
});

test("shows changes made in another tab without interrupting an edit", async ({ page, context, server }) => {
  await server.open();
  await server.elsewhere.add("4158675309", "First");
  await expect(rows(page)).toHaveCount(1);
  const other = await context.newPage();
  await arrive(other, await server.signedIn());
  await other.getByRole("button", { name: "Rename First" }).click();
  await other.getByRole("textbox", { name: "Name of" }).fill("Renamed there");
  await other.getByRole("textbox", { name: "Name of" }).press("Enter");
  await expect(rows(page).locator(".cell-name")).toHaveText("Renamed there");

  await page.getByRole("button", { name: "Rename Renamed there" }).click();
  const input = page.getByRole("textbox", { name: "Name of" });
  await input.fill("Typing");
  await server.elsewhere.add("2125550142", "Second");
  await expect(page.locator("#caller-ids-count")).toHaveText("2");
  await expect(input).toHaveValue("Typing");
  await expect(input).toBeFocused();

  await other.locator("#phone-number").fill("6175550163");
  await other.getByRole("button", { name: "Call me" }).click();
  await expect(page.locator("#phone")).toHaveAttribute("data-state", "ringing");
  await other.getByRole("button", { name: "Answer", exact: true }).click();
  await expect(page.locator("#phone")).toHaveAttribute("data-state", "talking");
  await other.locator("#keypad").getByRole("button", { name: "5", exact: true }).click();
  await expect(page.locator("#phone-keyed")).toContainText("1 of 6");
  await other.getByRole("button", { name: "Hang up" }).click();
  await expect(page.locator("#phone")).toHaveAttribute("data-state", "over");
});

test("a rename being typed survives that its row is on another page, is filtered out, or has another name", async ({ page, mock }) => {
  await mock.open("?seed=30");
  await page.getByRole("button", { name: "Rename Extension 3", exact: true }).click();
  const input = page.getByRole("textbox", { name: "Name of (212) 555-0002" });
  await input.fill("Half typ");
  await page.getByRole("button", { name: "Next" }).click();
  await expect(page.locator("#pager-text")).toHaveText("11–20 of 30");
  await expect(input).toHaveValue("Half typ");
  await hear(page, "This caller ID is on another page now.");
  await expect(page.locator(".row-changed")).toHaveText("This caller ID is on another page now.");
  await page.getByRole("searchbox").fill("Extension 12");
  await expect(page.locator(".row-changed")).toHaveText("This caller ID does not match “Extension 12”.");
  await input.press("End");
  await input.pressSequentially("ed");
  await input.press("Enter");
  await hear(page, "Renamed to Half typed.");
  await expect(rows(page)).toHaveText(/Extension 12/);
  await expect(page.locator("#caller-ids-title")).toBeFocused();
  await page.getByRole("searchbox").fill("half");
  await expect(rows(page)).toHaveText(/Half typed.*212.*555-0002/);
});

test("says what happened elsewhere to a caller ID that is being renamed or deleted", async ({ page, context, server, expected }) => {
  expected.failures.push(/status of 404/);
  await server.open();
  for (const [number, name] of [["4158675301", "One"], ["4158675302", "Two"]]) await server.elsewhere.add(number, name);
  await expect(rows(page)).toHaveCount(2);
  const other = await context.newPage();
  await arrive(other, await server.signedIn());
  await page.getByRole("button", { name: "Rename One" }).click();
  const input = page.getByRole("textbox", { name: "Name of" });
  await input.fill("Typing");
  await other.getByRole("button", { name: "Rename One" }).click();
  await other.getByRole("textbox", { name: "Name of" }).fill("Uno");
  await other.keyboard.press("Enter");
  await hear(page, "This caller ID is named “Uno” now.");
  await other.getByRole("button", { name: "Delete Uno" }).click();
  await other.getByRole("button", { name: "Delete", exact: true }).click();
  await hear(page, "This caller ID was deleted elsewhere.");
  await expect(input).toHaveValue("Typing");
  await expect(input).toBeFocused();
  await expect(page.getByRole("button", { name: "Save" })).toHaveAttribute("aria-disabled", "true");
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(rows(page)).toHaveText(/Two/);

  await page.getByRole("button", { name: "Delete Two" }).click();
  await other.getByRole("button", { name: "Delete Two" }).click();
  await other.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(page.locator(".row-changed")).toHaveText("This caller ID was deleted elsewhere.");
  await page.getByRole("button", { name: "Keep it" }).click();
  await expect(page.locator("#blank-title")).toHaveText("No caller IDs yet");
});

test("a deletion being asked about survives that its row moves to the next page", async ({ page, mock }) => {
  await mock.open("?seed=10");
  await ask(page);
  const code = await shownCode(page);
  await answer(page);
  await page.getByRole("button", { name: "Delete Extension 10" }).click();
  await page.locator("#keypad").focus();
  await page.keyboard.type(code);
  await expect(page.locator(".row-changed")).toHaveText("This caller ID is on another page now.");
  await expect(rows(page)).toHaveCount(11);
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await hear(page, "Extension 10 is deleted.");
  await expect(page.locator("#caller-ids-count")).toHaveText("10");
  await expect(rows(page)).toHaveCount(10);
});
