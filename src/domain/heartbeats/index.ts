export { cycleMsOf, dueSlots, inSlicesSql } from './slices.js';
