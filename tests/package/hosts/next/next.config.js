import { fileURLToPath } from "node:url";

// The tests' folder, in which the packages are installed.
const root = fileURLToPath(new URL("../..", import.meta.url));

export default { turbopack: { root }, outputFileTracingRoot: root, devIndicators: false };
