export { judgeCount, type CountVerdict, type JudgedCount } from './judge-count.js';
