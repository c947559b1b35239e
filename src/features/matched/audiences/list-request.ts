import { AUDIENCE_STATUSES, type AudienceStatus } from '../../../domain/matched/index.js';

/** What a list is asked for. */
export interface ListRequest {
  /** Counts from 1. */
  page: number;
  pageSize: number;
  search: string | undefined;
  statuses: AudienceStatus[] | undefined;
  ids: number[] | undefined;
  sort: 'id' | 'audienceName' | 'createdDate' | 'modifiedDate';
  descending: boolean;
}

/** "The maximum data size per page is 1K rows." */
const MAX_PAGE_SIZE = 1000;
const SORTS = ['id', 'audienceName', 'createdDate', 'modifiedDate'] as const;
const MAX_SEARCH_LENGTH = 255;

/** Reads the body of a list: pageNo, noOfEntries, searchField, audienceStatusIds, audienceIds, sortBy. */
export function readListRequest(body: unknown): ListRequest | { refused: string } {
  const given = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const page = wholeNumber(given.pageNo ?? 1);
  if (page === undefined || page < 1) return { refused: 'Page number must be a whole number from 1 on.' };
  const pageSize = wholeNumber(given.noOfEntries ?? 50);
  if (pageSize === undefined || pageSize < 1 || pageSize > MAX_PAGE_SIZE) {
    return { refused: `Number of entries must be between 1 and ${MAX_PAGE_SIZE}.` };
  }
  const search = given.searchField ?? '';
  if (typeof search !== 'string' || search.length > MAX_SEARCH_LENGTH) {
    return { refused: 'Search field must be a text.' };
  }
  const ids = numbers(given.audienceIds);
  const statusIds = numbers(given.audienceStatusIds);
  if (ids === 'wrong' || statusIds === 'wrong') {
    return { refused: 'Audience ids and audience status ids must be lists of numbers.' };
  }
  const sortBy = given.sortBy ?? '-id';
  const [, sign, name] = /^([+-]?)(\w+)$/.exec(typeof sortBy === 'string' ? sortBy.trim() : '') ?? [];
  const sort = SORTS.find((one) => one === name);
  if (sort === undefined) return { refused: `Sort by one of ${SORTS.join(', ')}, with + or - before it.` };
  const statuses = statusIds?.map((id) => AUDIENCE_STATUSES.find((status) => status.id === id)?.name);
  if (statuses?.includes(undefined)) return { refused: 'Audience status ids name an unknown status.' };
  return {
    page,
    pageSize,
    search: search.trim() || undefined,
    statuses: statuses as AudienceStatus[] | undefined,
    ids,
    sort,
    descending: sign === '-',
  };
}

function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
}

function numbers(value: unknown): number[] | undefined | 'wrong' {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return undefined;
  if (!Array.isArray(value) || value.length > MAX_PAGE_SIZE) return 'wrong';
  const all = value.map((one) => wholeNumber(one));
  return all.includes(undefined) ? 'wrong' : (all as number[]);
}
