export { judgeCount, type CountVerdict, type JudgedCount } from './judge-count.js';
export { isNewDifference, type ToldDifference } from './told-difference.js';
