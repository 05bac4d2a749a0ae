/** The account of the key that signs: what it has, owes and may do. */

import { held, useAsked, type Schemas } from "./api.ts";

export type Collateral = Schemas["MarginAccountSummary"];
export type Position = Schemas["BorrowLendPositionWithMargin"];
export type Limits = Schemas["Limits"];
export type Bound = Schemas["Bound"];
export type Forecast = Schemas["AdlForecast"];

const EVERY_MS = 2000;

function signed(path: string, instruction: string, fields: Record<string, string> = {}) {
  return held.value ? { path, instruction, fields } : null;
}

export function useCapital() {
  const [balances, balancesAgain] = useAsked<Record<string, Schemas["Balance"]>>(signed("/api/v1/capital", "balanceQuery"), EVERY_MS);
  const [collateral, collateralAgain] = useAsked<Collateral>(signed("/api/v1/capital/collateral", "collateralQuery"), EVERY_MS);
  const [positions, positionsAgain] = useAsked<Position[]>(signed("/api/v1/borrowLend/positions", "borrowLendPositionQuery"), EVERY_MS);
  const [account] = useAsked<Schemas["AccountSummary"]>(signed("/api/v1/account", "accountQuery"), EVERY_MS);
  const again = () => {
    balancesAgain();
    collateralAgain();
    positionsAgain();
  };
  return { balances, collateral, positions, account, again };
}

export function useLimits(symbol: string) {
  return useAsked<Limits>(signed("/solvent/v1/limits", "limitsQuery", { symbol }), EVERY_MS);
}

export function useForecast(symbol: string | null) {
  return useAsked<Forecast>(symbol ? signed("/solvent/v1/forecast", "forecastQuery", { symbol }) : null, 5000);
}

/** What each limit is, in words that end a sentence which begins with the maximum. */
export const LIMITS: Record<Schemas["LimitName"], string> = {
  AvailableBalance: "that is all the account has to use",
  LentClaim: "that is all the account has lent",
  OutstandingDebt: "that is all the account owes",
  PoolState: "the pool does not take this now",
  OpenBorrowLendLimit: "the pool takes no more lends",
  PoolCash: "that is all that is left in the pool",
  UtilizationBound: "the pool's throttle lets no more out",
  MaxUtilization: "the pool lends out no more than its highest utilization",
  InsolvencyGate: "claims exceed what stands behind them; redemptions wait",
  UncertainLoss: "more may be lost behind a stale price; that part of the claim waits",
  InitialMargin: "the account's margin carries no more",
  Leverage: "the account's leverage limit carries no more",
  PriceBand: "the price is outside the market's band",
  StalePrice: "there is no price that may be used",
  SupplyCap: "the supply cap is reached",
  OrderCount: "the account has as many open orders as it may",
  BookLiquidity: "the book has no more within the impact band",
  AccountLiquidating: "the account is being liquidated and takes deposits and repayments alone",
  LendRequiresBorrowRepay: "the account owes this asset: repay it first",
  BorrowRequiresLendRedeem: "the account has lent this asset: redeem it first",
  AtomValue: "the smallest unit of it is worth too much at this price",
  InvalidQuantity: "the market takes no smaller order",
  InvalidPrice: "the price is no multiple of the tick",
  InvalidOrder: "the flags do not go together",
};
